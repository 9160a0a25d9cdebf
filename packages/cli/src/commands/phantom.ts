/** `isocenter phantom`: a synthetic study with its ground truth, as a folder or a zip. */
import { access } from 'node:fs/promises';
import { supportedTransferSyntaxes } from '@isocenter/dicom';
import { makePhantomStudy, type PhantomOptions } from '@isocenter/engine';
import { OutputFolder, writeFileAtomic, writeZip } from '@isocenter/formats';
import { Failure } from '@isocenter/volume';
import { exitCodes } from '../exit-codes.js';
import { type CommandContext, productVersion } from '../program.js';

export interface PhantomCommandOptions {
  readonly out: string;
  readonly kind: 'thorax-ct' | 'head-mr';
  readonly columns?: number;
  readonly rows?: number;
  readonly slices?: number;
  readonly spacing?: [number, number, number];
  readonly orientation: string;
  readonly position?: PhantomOptions['patientPosition'];
  readonly tilt?: [number, number, number];
  readonly transferSyntax: string;
  readonly seed: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

class UsageError extends Failure<'orientation' | 'transfer-syntax' | 'size' | 'exists'> {}

const orientations: Readonly<Record<string, Pick<PhantomOptions, 'plane' | 'tilt' | 'flipColumns' | 'flipRows'>>> = {
  axial: { plane: 'axial' },
  sagittal: { plane: 'sagittal' },
  coronal: { plane: 'coronal' },
  oblique: { plane: 'axial', tilt: [12, -8, 5] },
  'axial-flipped': { plane: 'axial', flipColumns: true, flipRows: true },
  'sagittal-flipped': { plane: 'sagittal', flipColumns: true },
  'coronal-flipped': { plane: 'coronal', flipRows: true },
  'coronal-oblique': { plane: 'coronal', tilt: [15, 0, 10] },
};

const DEFAULT_SIZES = { 'thorax-ct': [512, 512, 120], 'head-mr': [256, 256, 160] } as const;

export async function phantomCommand(
  options: PhantomCommandOptions,
  { terminal, watch, endProgress }: CommandContext,
): Promise<number> {
  const size = DEFAULT_SIZES[options.kind];
  const asZip = options.out.toLowerCase().endsWith('.zip');
  if (asZip && !options.force) await refuseExisting(options.out);
  const files = await makePhantomStudy(
    {
      kind: options.kind === 'head-mr' ? 'head' : 'thorax',
      seed: String(options.seed),
      size: [options.columns ?? size[0], options.rows ?? size[1], options.slices ?? size[2]],
      spacing: options.spacing,
      patientPosition: options.position,
      transferSyntaxUID: transferSyntax(options.transferSyntax),
      ...orientation(options.orientation),
      ...(options.tilt ? { tilt: options.tilt } : {}),
    },
    productVersion,
    watch,
  );
  const written = asZip ? await intoZip(files, options) : await intoFolder(files, options);
  endProgress();
  terminal.print(`${files.length} files in ${written}: images/ and, beside them, the ground truth in truth/`);
  terminal.document({ kind: 'phantom', path: written, files: files.map(({ name }) => name) });
  return exitCodes.ok;
}

async function intoFolder(
  files: Awaited<ReturnType<typeof makePhantomStudy>>,
  { out, force }: PhantomCommandOptions,
): Promise<string> {
  const output = await OutputFolder.create(out, { overwrite: force === true });
  try {
    for (const { name, bytes } of files) await output.write(name, bytes);
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return output.path;
}

async function intoZip(
  files: Awaited<ReturnType<typeof makePhantomStudy>>,
  { out }: PhantomCommandOptions,
): Promise<string> {
  await writeFileAtomic(out, await writeZip(files));
  return out;
}

/** Before minutes are spent on drawing. Throws UsageError `exists`. */
async function refuseExisting(out: string): Promise<void> {
  const exists = await access(out).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new UsageError('exists', 'The zip exists already', {
      where: out,
      next: 'Choose another name, or replace it with --force.',
    });
}

function orientation(name: string): (typeof orientations)[string] {
  const found = orientations[name.toLowerCase()];
  if (found) return found;
  throw new UsageError('orientation', `There is no orientation '${name}'`, {
    next: `Known: ${Object.keys(orientations).join(', ')}.`,
  });
}

/** A UID, or the name of a syntax that can be written. */
function transferSyntax(wanted: string): string {
  const writable = [...supportedTransferSyntaxes].filter(([, { encode }]) => encode);
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const found =
    writable.find(([uid, { name }]) => uid === wanted || plain(name) === plain(wanted)) ??
    (plain(wanted) === '' ? undefined : writable.find(([, { name }]) => plain(name).includes(plain(wanted))));
  if (found) return found[0];
  throw new UsageError('transfer-syntax', `The transfer syntax '${wanted}' cannot be written`, {
    next: `Known: ${writable.map(([uid, { name }]) => `${uid} (${name})`).join(', ')}.`,
  });
}
