/** The part of the command line that tests services of other protocols, as the tools of their makers did. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { notEmpty, positiveNumber } from './option-values.js';
import type { Act } from './program.js';

const LARGEST_PORT = 65535;

export function addRequestCommands(program: Command, act: Act): void {
  program.commandsGroup('To test a service of another protocol:');
  const request = program
    .command('request')
    .description('send a study as a client of another product would, and check the answer');
  request
    .command('arterys')
    .argument('[folder]', 'folder (all below it), zip or file: DICOM, PNG, JPEG')
    .optionsGroup('Which service:')
    .option('--host <host>', 'host; default this machine', notEmpty)
    .option('-p, --port <n>', 'port; default 8900', port)
    .option('-r, --route <path>', 'route of the model; default /', notEmpty)
    .option('--url <address>', 'all three at once: http://host:port/route', notEmpty)
    .option('--key <key>', 'API key, sent as a bearer token', notEmpty)
    .option('--timeout <seconds>', 'longest silence of the service; default: no limit', positiveNumber)
    .addOption(
      new Option('--health [method]', 'only ask whether it is ready, by GET, POST or (left out) both').argParser(
        method,
      ),
    )
    .optionsGroup('What is sent:')
    .option('-i, --input <folder>', 'the same as the argument', notEmpty)
    .option('-a, --attachments <file...>', 'files to send before the images, as they are')
    .option('-S, --send_study_size', 'add depth (images), height and width to the JSON')
    .option('-c, --inference_command <text>', 'add inference_command to the JSON', notEmpty)
    .option(
      '--request_study_path <path>',
      'send only JSON with this studyPath, which the service reads itself',
      notEmpty,
    )
    .option('-R, --request_options <key=value...>', 'add text to the JSON')
    .optionsGroup('Options:')
    .option(
      '-o, --output <folder>',
      'folder for the answer and its pictures; earlier ones are replaced',
      notEmpty,
      'output',
    )
    .option('-l, --include_label_plots', 'a picture of every image, with the classification on it')
    .option('--npy', 'masks as true NPY files with their shape; default: bare bytes, as the original tool has it')
    .addOption(new Option('--json', 'print one JSON document instead of text'))
    .description('send images to an Arterys inference service, hold its answer against every rule, draw what it found')
    .action((folder, options) =>
      act({ folder, ...options }, async () => (await import('./commands/request/arterys.js')).requestArterysCommand),
    );
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > LARGEST_PORT)
    throw new InvalidArgumentError(`It must be 1 to ${LARGEST_PORT}.`);
  return value;
}

function method(text: string): 'GET' | 'POST' {
  const name = text.toUpperCase();
  if (name !== 'GET' && name !== 'POST') throw new InvalidArgumentError('It must be GET or POST.');
  return name;
}
