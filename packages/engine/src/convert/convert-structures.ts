/** Structures to one mask file per structure, or to one RTSTRUCT or SEG on the reference series. */
import { type ReferenceSeries, writeRtstruct, writeSeg } from '@isocenter/dicom';
import { safeFileName, writeNifti, writeNrrd } from '@isocenter/formats';
import { maskOf, type Segmentation } from '@isocenter/volume';
import { alignToGrid } from '../compare/align.js';
import { proveSeg } from '../proof/prove-layers.js';
import { proveMasks } from '../proof/prove-masks.js';
import { proveRtstruct } from '../proof/prove-rtstruct.js';
import { openReference } from '../structures/open-reference.js';
import { readStructures } from '../structures/read-structures.js';
import { StructuresError } from '../structures/structures-error.js';
import type { Conversion, ConvertedFile, ConvertOptions } from './convert.js';

/** Throws StructuresError `needs-reference`, `resampled`; and what the readers and writers throw. */
export async function convertStructures(input: string, options: ConvertOptions): Promise<Conversion> {
  const read = await readStructures(input, options);
  const reference = options.reference
    ? await openReference(options.reference, { ...options, preferred: read.referencedSeriesUIDs })
    : undefined;
  const { segmentation: placed, notes } = read.place(reference, { fill: options.fill });
  const { segmentation, note } = reference
    ? ontoReference(placed, reference)
    : { segmentation: placed, note: undefined };
  const allNotes = note ? [...notes, note] : [...notes];
  if (options.format === 'nifti' || options.format === 'nrrd') {
    const files = await maskFiles(segmentation, options.format, options);
    return { files, proof: await proveMasks(files, segmentation), notes: allNotes };
  }
  if (!reference)
    throw new StructuresError(
      'needs-reference',
      `${options.format.toUpperCase()} refers to DICOM images, and none are given`,
      {
        next: 'Name the images with --reference (a folder, zip or file of the series).',
      },
    );
  const common = { provenance: options.provenance, now: options.now, uid: options.uid };
  if (options.format === 'seg') {
    const file = {
      name: 'segmentation.seg.dcm',
      bytes: writeSeg(segmentation, reference, { ...common, type: 'binary' }),
    };
    return { files: [file], proof: await proveSeg(file, segmentation), notes: allNotes };
  }
  const bytes = writeRtstruct(segmentation, reference, {
    ...common,
    holes: options.holes,
    inset: options.inset,
    progress: options.progress,
    signal: options.signal,
  });
  const name = 'rtstruct.dcm';
  return { files: [{ name, bytes }], proof: proveRtstruct(bytes, segmentation, { file: name }), notes: allNotes };
}

/** Masks on another grid would have to be resampled, which changes contours: refused, unless the grid is the same but turned. */
function ontoReference(
  segmentation: Segmentation,
  reference: ReferenceSeries,
): { segmentation: Segmentation; note?: string } {
  const aligned = alignToGrid(segmentation, reference.grid);
  if (aligned.alignment === 'resampled')
    throw new StructuresError('resampled', 'The masks do not lie on the grid of the reference images', {
      where: `${segmentation.grid.size.join(' × ')} voxels against ${reference.grid.size.join(' × ')}`,
      next: 'Resample the masks to the images first, knowingly; or name the series they were made on with --reference.',
    });
  return {
    segmentation: aligned.segmentation,
    note:
      aligned.alignment === 'reoriented' ? 'The masks were turned to the axes of the images, without loss.' : undefined,
  };
}

async function maskFiles(
  segmentation: Segmentation,
  format: 'nifti' | 'nrrd',
  { progress, signal }: ConvertOptions,
): Promise<ConvertedFile[]> {
  const taken = new Set<string>();
  const files: ConvertedFile[] = [];
  const buffer = new Uint8Array(segmentation.layers[0].data.length);
  for (const [n, structure] of segmentation.structures.entries()) {
    signal?.throwIfAborted();
    progress?.(n, segmentation.structures.length, 'writing masks');
    const mask = maskOf(segmentation, structure, buffer);
    const name = safeFileName(structure.name, taken);
    files.push(
      format === 'nifti'
        ? { name: `${name}.nii.gz`, bytes: await writeNifti(mask) }
        : {
            name: `${name}.nrrd`,
            bytes: await writeNrrd(mask, {
              keyValues: [
                ['Segment0_Name', structure.name],
                ['Segment0_LabelValue', '1'],
                ['Segment0_Layer', '0'],
              ],
            }),
          },
    );
  }
  return files;
}
