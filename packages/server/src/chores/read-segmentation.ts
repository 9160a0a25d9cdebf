/** Stored label maps (NIfTI, one file for each layer) as the segmentation they were written from. */
import { readFile } from 'node:fs/promises';
import { gunzipBytes, isGzip, readNifti } from '@isocenter/formats';
import { Failure, type LabelMap, makeVolume, type Segmentation, type SegmentedStructure } from '@isocenter/volume';

export class ChoreError extends Failure<'no-layers' | 'not-exact'> {}

const LARGEST_BYTE = 255;

/** Throws ChoreError `no-layers`, FormatError. */
export async function readSegmentation({
  layerPaths,
  structures,
}: {
  readonly layerPaths: readonly string[];
  readonly structures: readonly SegmentedStructure[];
}): Promise<Segmentation> {
  const layers: LabelMap[] = [];
  for (const path of layerPaths) layers.push(await readLayer(path));
  const [first] = layers;
  if (!first) throw new ChoreError('no-layers', 'The job has no stored label map', { next: 'Run the job again.' });
  return { kind: 'segmentation', grid: { size: first.size, affine: first.affine }, layers, structures };
}

async function readLayer(path: string): Promise<LabelMap> {
  const stored = await readFile(path);
  const { channels } = await readNifti(isGzip(stored) ? await gunzipBytes(stored) : stored);
  const { data, size, affine } = channels[0];
  if (data instanceof Uint8Array || data instanceof Uint16Array) return makeVolume(data, size, affine);
  const words = data.some((value) => value > LARGEST_BYTE);
  return makeVolume(words ? Uint16Array.from(data) : Uint8Array.from(data), size, affine);
}
