/** What several benches begin with: the images that an object refers to, and a label map from NumPy's format. */
import { readFileSync } from 'node:fs';
import { assembleSeries, type Provenance, type ReferenceSeries, referenceFrom, scanSources } from '@isocenter/dicom';
import { openSources, readNpy } from '@isocenter/formats';
import { type Grid, makeVolume, type Segmentation } from '@isocenter/volume';

export async function referenceOf(folder: string): Promise<ReferenceSeries> {
  const opened = await openSources(folder);
  try {
    return referenceFrom(assembleSeries((await scanSources(opened.sources)).series[0]));
  } finally {
    await opened.close();
  }
}

/** Labels 1 … n of a uint8 array [z][y][x], as structures on `grid`. */
export function segmentationOf(path: string, grid: Grid): Segmentation {
  const { data } = readNpy(readFileSync(path));
  if (!(data instanceof Uint8Array)) throw new Error('the label map is not uint8');
  const highest = highestOf(data);
  return {
    kind: 'segmentation',
    grid,
    layers: [makeVolume(data, grid.size, grid.affine)],
    structures: Array.from({ length: highest }, (_, n) => ({
      name: `structure ${n + 1}`,
      colour: [(n * 53) % 256, (n * 97) % 256, (n * 193) % 256] as const,
      interpretedType: 'ORGAN',
      layer: 0,
      label: n + 1,
    })),
  };
}

/** Background is stepped over four voxels at a time; NumPy's max() has vector instructions for this. */
function highestOf(data: Uint8Array): number {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length >> 2);
  let highest = 0;
  for (let w = 0; w < words.length; w++)
    if (words[w] !== 0) for (let n = 4 * w; n < 4 * w + 4; n++) if (data[n] > highest) highest = data[n];
  for (let n = 4 * words.length; n < data.length; n++) if (data[n] > highest) highest = data[n];
  return highest;
}

export const provenance: Provenance = {
  modelName: 'bench',
  modelVersion: '1',
  weightsHash: '',
  configurationHash: '',
  runUID: '2.25.1',
  softwareVersion: '0.1.0',
};
