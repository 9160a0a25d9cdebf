/** The child's part of `slicer-segmentation`: reads the layers back, writes .seg.nrrd by the engine's encoder, proves it. */
import { readFile, writeFile } from 'node:fs/promises';
import { encoders } from '@isocenter/engine';
import { gunzipBytes, isGzip, readNifti } from '@isocenter/formats';
import { Failure, type LabelMap, makeVolume, type Segmentation } from '@isocenter/volume';
import type { SlicerChore } from './chore.js';

export class ChoreError extends Failure<'no-layers' | 'not-exact'> {}

const LARGEST_BYTE = 255;

export async function writeSlicerSegmentation(chore: SlicerChore): Promise<{ bytes: number }> {
  const layers: LabelMap[] = [];
  for (const path of chore.layerPaths) layers.push(await readLayer(path));
  const [first] = layers;
  if (!first) throw new ChoreError('no-layers', 'The job has no stored label map', { next: 'Run the job again.' });
  const segmentation: Segmentation = {
    kind: 'segmentation',
    grid: { size: first.size, affine: first.affine },
    layers,
    structures: chore.structures,
  };
  // Of the result the encoder looks at the segmentation only; image and provenance are not part of a .seg.nrrd.
  const result = {
    segmentation,
    image: first,
    provenance: {
      modelName: '',
      modelVersion: '',
      weightsHash: '',
      configurationHash: '',
      runUID: '',
      softwareVersion: '',
    },
  };
  const files = await encoders.nrrd.encode(result, { now: new Date(0), uid: () => '' });
  const proof = await encoders.nrrd.prove?.(files, result);
  if (!proof?.exact)
    throw new ChoreError('not-exact', 'The file did not read back as the stored label map', {
      next: 'This is a defect of ours; please report it.',
    });
  await writeFile(chore.outputPath, files[0].bytes, { mode: 0o600 });
  return { bytes: files[0].bytes.length };
}

async function readLayer(path: string): Promise<LabelMap> {
  const stored = await readFile(path);
  const { channels } = await readNifti(isGzip(stored) ? await gunzipBytes(stored) : stored);
  const { data, size, affine } = channels[0];
  if (data instanceof Uint8Array || data instanceof Uint16Array) return makeVolume(data, size, affine);
  const words = data.some((value) => value > LARGEST_BYTE);
  return makeVolume(words ? Uint16Array.from(data) : Uint8Array.from(data), size, affine);
}
