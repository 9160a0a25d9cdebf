/**
 * Files of one format into another: images to NIfTI or NRRD; structures to masks on the reference images, and to RTSTRUCT or
 * SEG. Everything that holds structures is proven; all results appear at once or not at all.
 */
import { type Provenance, scanSources } from '@isocenter/dicom';
import { OutputFolder, openSources } from '@isocenter/formats';
import type { HoleMode, Watch } from '@isocenter/volume';
import type { Proof } from '../proof/proof.js';
import { isMaskImage } from '../structures/mask-images.js';
import { convertImages } from './convert-images.js';
import { convertStructures } from './convert-structures.js';

export type ConvertFormat = 'nifti' | 'nrrd' | 'rtstruct' | 'seg';

export interface ConvertOptions extends Watch {
  readonly format: ConvertFormat;
  readonly out: string;
  /** Images that structures lie on; default: the series in the input itself, when there is one. */
  readonly reference?: string;
  /** Convert the DICOM images, although structures or masks lie beside them. */
  readonly images?: boolean;
  /** SeriesInstanceUID, or number as `inspect` shows it. */
  readonly series?: string;
  /** Uneven slices: refuse (default), or take the longest even run. */
  readonly irregular?: 'refuse' | 'longest-run';
  readonly holes: HoleMode;
  /** As in EncodeOptions. */
  readonly inset?: number;
  readonly fill: 'even-odd' | 'union';
  readonly overwrite: boolean;
  readonly provenance: Provenance;
  readonly now: Date;
  readonly uid: () => string;
}

export interface ConvertedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Conversion {
  readonly files: readonly ConvertedFile[];
  readonly proof?: Proof;
  readonly notes: readonly string[];
}

export interface ConvertReport {
  readonly kind: 'conversion';
  readonly format: ConvertFormat;
  /** Full paths. */
  readonly files: readonly string[];
  readonly proof?: Proof;
  readonly notes: readonly string[];
}

/** Throws StructuresError, SeriesError, DicomError, FormatError, ArchiveError, ProofError, OutputError. */
export async function convert(input: string, options: ConvertOptions): Promise<ConvertReport> {
  const output = await OutputFolder.create(options.out, { overwrite: options.overwrite });
  try {
    const what = await whatIsIn(input, options);
    const structures =
      !options.images &&
      (what.structureObject || (what.images && (options.format === 'rtstruct' || options.format === 'seg')));
    const conversion = structures
      ? await convertStructures(input, {
          ...options,
          reference: options.reference ?? (what.series ? input : undefined),
        })
      : await convertImages(input, options);
    for (const { name, bytes } of conversion.files) await output.write(name, bytes);
    if (conversion.proof)
      await output.write(
        `${options.format}.proof.json`,
        Buffer.from(`${JSON.stringify(conversion.proof, undefined, 2)}\n`),
      );
    const { proof, notes } = conversion;
    return { kind: 'conversion', format: options.format, files: await output.commit(), proof, notes };
  } catch (error) {
    await output.discard();
    throw error;
  }
}

/** A first look: are there structure objects, DICOM series, NIfTI or NRRD images? */
async function whatIsIn(
  input: string,
  watch: Watch,
): Promise<{ structureObject: boolean; series: boolean; images: boolean }> {
  const opened = await openSources(input);
  try {
    const flags = await Promise.all(opened.sources.map(isMaskImage));
    const scan = await scanSources(
      opened.sources.filter((_, n) => !flags[n]),
      watch,
    );
    return {
      structureObject: scan.objects.some(({ kind }) => kind === 'RTSTRUCT' || kind === 'SEG'),
      series: scan.series.length > 0,
      images: flags.includes(true),
    };
  } finally {
    await opened.close();
  }
}
