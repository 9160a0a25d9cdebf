/** `isocenter convert`: images to NIfTI or NRRD, structures to masks and back. */

import { newUID } from '@isocenter/dicom';
import { type Conversion, type ConvertFormat, convert, type Proof } from '@isocenter/engine';
import { INSET } from '@isocenter/volume';
import { exitCodes } from '../exit-codes.js';
import { table } from '../output/table.js';
import { type CommandContext, productVersion } from '../program.js';

export interface ConvertCommandOptions {
  readonly input: string;
  readonly out: string;
  readonly format: ConvertFormat;
  readonly reference?: string;
  readonly images?: boolean;
  readonly series?: string;
  readonly longestRun?: boolean;
  readonly holes: 'keyhole' | 'even-odd' | 'separate';
  readonly inset?: boolean;
  readonly fill: 'even-odd' | 'union';
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function convertCommand(
  options: ConvertCommandOptions,
  { terminal, watch, endProgress }: CommandContext,
): Promise<number> {
  const report = await convert(options.input, {
    ...watch,
    format: options.format,
    out: options.out,
    reference: options.reference,
    images: options.images,
    series: options.series,
    irregular: options.longestRun ? 'longest-run' : 'refuse',
    holes: options.holes,
    inset: options.inset ? INSET : 0,
    fill: options.fill,
    overwrite: options.force === true,
    now: new Date(),
    uid: newUID,
    provenance: {
      modelName: 'convert',
      modelVersion: productVersion,
      weightsHash: '',
      configurationHash: '',
      runUID: newUID(),
      softwareVersion: productVersion,
    },
  });
  endProgress();
  if (report.proof) {
    terminal.print(proofTable(report.proof));
    terminal.print('');
  }
  for (const note of report.notes) terminal.print(`Note: ${note}`);
  for (const file of report.files) terminal.print(file);
  terminal.document(report);
  return report.proof && !report.proof.exact ? exitCodes.proof : exitCodes.ok;
}

function proofTable({ structures, reader }: NonNullable<Conversion['proof']>): string {
  const rows = structures.map(({ name, voxels, missing, extra }: Proof['structures'][number]) => [
    name,
    voxels,
    missing === 0 && extra === 0 ? 'exact' : `${missing} missing, ${extra} extra`,
  ]);
  return `${table(['structure', 'voxels', 'proof'], rows)}\n\nProof: ${reader}.`;
}
