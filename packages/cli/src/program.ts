/**
 * The command line: names, options and help. Each command's code is imported only when it runs, so that
 * `isocenter --help` starts at once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Failure, type Watch } from '@isocenter/volume';
import { Command, Option } from 'commander';
import { errorDocument, errorText, exitCodeOf, usageDocument } from './errors.js';
import { exitCodes } from './exit-codes.js';
import {
  collect,
  commaList,
  degreesTriple,
  notEmpty,
  numberTriple,
  positiveInteger,
  positiveNumber,
  share,
  threadCount,
} from './option-values.js';
import { printable } from './output/printable.js';
import { progressBar } from './output/progress-bar.js';
import { type Terminal, terminal } from './output/terminal.js';
import { addRequestCommands } from './request-program.js';
import { addServerCommands } from './server-program.js';

/** What every command gets besides its own arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly watch: Watch;
  /** Clears the progress line; printing to the terminal does not do it. */
  readonly endProgress: () => void;
}

type Action<Options> = (options: Options, context: CommandContext) => Promise<number | undefined>;

export const productVersion: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;

/** Runs one command line (without `node` and script name) and resolves to the exit status. Never throws. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let status: number = exitCodes.ok;
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const act = async <Options extends { json?: boolean }>(options: Options, load: () => Promise<Action<Options>>) => {
    const bar = progressBar();
    const context: CommandContext = {
      terminal: terminal(options.json === true),
      watch: { progress: bar.report, signal: abort.signal },
      endProgress: bar.end,
    };
    try {
      checkPaths(options);
      const action = await load();
      status = (await action(options, context)) ?? exitCodes.ok;
    } catch (error) {
      bar.end();
      status = abort.signal.aborted ? exitCodes.cancelled : exitCodeOf(error);
      if (options.json) context.terminal.document(errorDocument(error));
      else process.stderr.write(`${errorText(error)}\n`);
    } finally {
      bar.end();
    }
  };
  const program = buildProgram(act);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    // commander has already printed its message; help and version end here too, with status 0.
    const ended = error as { exitCode?: number; code?: string; message?: string };
    status =
      ended.exitCode === 0 ? exitCodes.ok : ended.code?.startsWith('commander.') ? exitCodes.usage : exitCodes.defect;
    if (status === exitCodes.usage && args.includes('--json'))
      terminal(true).document(usageDocument(ended.code ?? '', ended.message ?? ''));
    if (status === exitCodes.defect) process.stderr.write(`${errorText(error)}\n`);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
  return status;
}

export type Act = <Options extends { json?: boolean }>(
  options: Options,
  load: () => Promise<Action<Options>>,
) => Promise<void>;

function buildProgram(act: Act): Command {
  const program = new Command('isocenter')
    .description('Medical image segmentation: DICOM, NIfTI or NRRD in; proven RTSTRUCT, SEG and masks out.')
    .version(productVersion)
    .exitOverride()
    .showHelpAfterError('(isocenter --help lists the commands)')
    // What was typed is repeated in messages: it may have been pasted.
    .configureOutput({ outputError: (text, write) => write(printable(text)) });
  const json = () => new Option('--json', 'print one JSON document instead of text');

  program.commandsGroup('Here, without a server:');
  program
    .command('segment')
    .argument('<input>', 'zip, tar, folder or file of DICOM, or a NIfTI or NRRD image')
    .requiredOption('--model <bundle>', 'model as NAME[:VERSION], or the path of a bundle folder or zip', notEmpty)
    .requiredOption('--out <folder>', 'folder for the results; created when absent', notEmpty)
    .option('--format <list>', 'rtstruct,seg,nifti,nrrd,png,csv,sr,sc,masks', commaList)
    .addOption(
      new Option('--holes <mode>', 'how RTSTRUCT contours write holes')
        .choices(['keyhole', 'even-odd', 'separate'])
        .default('keyhole'),
    )
    .addOption(
      new Option('--profile <name>', 'RTSTRUCT attributes: our own, or what clients of InnerEye expect')
        .choices(['strict', 'innereye'])
        .default('strict'),
    )
    .addOption(
      new Option('--seg-type <type>', 'kind of DICOM SEG; labelmap cannot hold overlapping structures')
        .choices(['binary', 'labelmap'])
        .default('binary'),
    )
    .option(
      '--inset',
      'draw contours 1/64 pixel inside the voxel edges, for readers that paint borders (rt-utils, OpenCV)',
    )
    .option(
      '--series <wish>',
      'SeriesInstanceUID, or number as `inspect` lists it; NAME=WISH for one of several channels',
      collect,
      [],
    )
    .option('--models <folder>', 'another folder to look for models in', collect, [])
    .option('--memory <megabytes>', 'hard memory limit of the compute process', positiveNumber)
    .option('--time <seconds>', 'hard time limit of the compute process', positiveNumber)
    .option('--threads <n>', 'threads of the network', threadCount)
    .option('--ignore-damaged', 'leave damaged files out; slices may then be missing')
    .option('--longest-run', 'of uneven slices, use the longest evenly spaced run')
    .option('--force', 'replace results that are already in the folder')
    .option('--require-proof', 'write nothing unless every export reads back exactly')
    .addOption(json())
    .description('segment a study with a model and prove what was written')
    .action((input, options) =>
      act({ input, ...options }, async () => (await import('./commands/segment.js')).segmentCommand),
    );

  program
    .command('predict')
    .argument('<input>', 'zip, tar, folder or file of DICOM, or a NIfTI or NRRD image')
    .requiredOption('--model <bundle>', 'model as NAME[:VERSION], or the path of a bundle folder or zip', notEmpty)
    .option('--out <folder>', 'folder for predictions.json and predictions.csv; created when absent', notEmpty)
    .option('--series <wish>', 'as in `segment`', collect, [])
    .option('--models <folder>', 'another folder to look for models in', collect, [])
    .option('--memory <megabytes>', 'hard memory limit of the compute process', positiveNumber)
    .option('--time <seconds>', 'hard time limit of the compute process, for each image', positiveNumber)
    .option('--threads <n>', 'threads of the network', threadCount)
    .option('--ignore-damaged', 'leave damaged files out')
    .option('--longest-run', 'of uneven slices, use the longest evenly spaced run')
    .option('--force', 'replace results that are already in the folder')
    .addOption(json())
    .description('ask a model that classifies or measures about a study')
    .action((input, options) =>
      act({ input, ...options }, async () => (await import('./commands/predict.js')).predictCommand),
    );

  program
    .command('inspect')
    .argument('<input>', 'zip, tar, folder or file')
    .option('--model <bundle>', 'say which series this model would take, and why')
    .option('--models <folder>', 'another folder to look for models in', collect, [])
    .addOption(json())
    .description('say what is in it, what is wrong with it, and which series would be chosen')
    .action((input, options) =>
      act({ input, ...options }, async () => (await import('./commands/inspect.js')).inspectCommand),
    );

  program
    .command('weights')
    .argument('<input>', '.pt, .pth, .ckpt, TorchScript .ts or .safetensors')
    .option('--key <name>', 'the part of a checkpoint that holds the weights, e.g. state_dict', notEmpty)
    .addOption(json())
    .description('list the tensors in a file of weights, and what in it is refused; nothing of it is executed')
    .action((input, options) =>
      act({ input, ...options }, async () => (await import('./commands/weights.js')).weightsCommand),
    );

  program
    .command('convert')
    .argument('<input>', 'DICOM series, RTSTRUCT, SEG, or masks as NIfTI or NRRD')
    .requiredOption('--out <folder>', 'folder for the results; created when absent', notEmpty)
    .addOption(
      new Option('--format <format>', 'format to write')
        .choices(['nifti', 'nrrd', 'rtstruct', 'seg'])
        .makeOptionMandatory(),
    )
    .option('--reference <series>', 'the DICOM images that structures lie on: folder, zip or file')
    .option('--images', 'convert the DICOM images, although structures or masks lie beside them')
    .option('--series <wish>', 'SeriesInstanceUID, or number as `inspect` lists it')
    .option('--longest-run', 'of uneven slices, use the longest evenly spaced run')
    .addOption(
      new Option('--holes <mode>', 'how RTSTRUCT contours write holes')
        .choices(['keyhole', 'even-odd', 'separate'])
        .default('keyhole'),
    )
    .option(
      '--inset',
      'draw contours 1/64 pixel inside the voxel edges, for readers that paint borders (rt-utils, OpenCV)',
    )
    .addOption(
      new Option('--fill <rule>', 'how overlapping contours of one structure are read')
        .choices(['even-odd', 'union'])
        .default('even-odd'),
    )
    .option('--force', 'replace results that are already in the folder')
    .addOption(json())
    .description('DICOM to NIfTI or NRRD; RTSTRUCT and SEG to masks on the images, and back')
    .action((input, options) =>
      act({ input, ...options }, async () => (await import('./commands/convert.js')).convertCommand),
    );

  program
    .command('compare')
    .argument('<a>', 'RTSTRUCT, SEG, NIfTI, NRRD, or a folder of one mask per structure')
    .argument('<b>', 'the same, any of these formats')
    .option('--reference <series>', 'the DICOM images that an RTSTRUCT lies on')
    .option('--longest-run', 'of uneven slices, use the longest evenly spaced run')
    .option('--names <a=b>', 'compare structure a of the first with b of the second', collect, [])
    .option('--min-dice <value>', `exit with status ${exitCodes.proof} when a structure falls below`, share)
    .addOption(json())
    .description('metrics per structure: Dice, HD, HD95, mean surface distance, volumes')
    .action((a, b, options) =>
      act({ a, b, ...options }, async () => (await import('./commands/compare.js')).compareCommand),
    );

  program
    .command('phantom')
    .requiredOption('--out <path>', 'folder, or a file ending in .zip', notEmpty)
    .addOption(new Option('--kind <kind>', 'what to make').choices(['thorax-ct', 'head-mr']).default('thorax-ct'))
    .option('--columns <n>', 'voxels along a row', positiveInteger)
    .option('--rows <n>', 'voxels along a column', positiveInteger)
    .option('--slices <n>', 'number of slices', positiveInteger)
    .option('--spacing <mm>', 'column,row,slice spacing in mm', numberTriple)
    .addOption(
      new Option('--orientation <name>', 'plane of the images')
        .choices([
          'axial',
          'sagittal',
          'coronal',
          'oblique',
          'axial-flipped',
          'sagittal-flipped',
          'coronal-flipped',
          'coronal-oblique',
        ])
        .default('axial'),
    )
    .option(
      '--tilt <degrees>',
      'turn the images about the x, y and z axes of the patient, e.g. --tilt=12,-8,5',
      degreesTriple,
    )
    .addOption(new Option('--position <code>', 'Patient Position').choices(['HFS', 'FFS', 'HFP', 'FFP']))
    .option('--transfer-syntax <uid>', 'UID or name of the transfer syntax', '1.2.840.10008.1.2.1')
    .option('--seed <n>', 'noise and UIDs follow from it', positiveInteger, 1)
    .option('--force', 'replace what is already there')
    .addOption(json())
    .description('write a synthetic thorax CT or head MR study as DICOM, with its ground truth')
    .action((options) => act(options, async () => (await import('./commands/phantom.js')).phantomCommand));

  program
    .command('demo')
    .argument('[study]', 'your own CT study; a synthetic one is made when left out')
    .option('--out <folder>', 'folder for the results', notEmpty, 'out/demo')
    .addOption(json())
    .description('segment a CT with ct-basic and show the table, the RTSTRUCT, the SEG and a picture')
    .action((study, options) =>
      act({ study, ...options }, async () => (await import('./commands/demo.js')).demoCommand),
    );

  program
    .command('doctor')
    .addOption(json())
    .description('check this machine and this installation')
    .action((options) => act(options, async () => (await import('./commands/doctor.js')).doctorCommand));

  addServerCommands(program, act);
  addRequestCommands(program, act);
  return program;
}

class InputError extends Failure<'not-found'> {}

/** A mistyped path is told with the path; deeper layers name no paths, since they may hold a patient's name. */
function checkPaths(options: object): void {
  for (const key of ['input', 'folder', 'a', 'b', 'reference', 'study']) {
    const path = (options as Record<string, unknown>)[key];
    if (typeof path === 'string' && !existsSync(path))
      throw new InputError('not-found', 'There is no such file or folder', { where: path, next: 'Check the path.' });
  }
}
