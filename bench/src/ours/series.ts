/** What several benches begin with: the images that an object refers to, and a label map from NumPy's format. */
import { readFileSync } from 'node:fs';
import { assembleSeries, type Provenance, type ReferenceSeries, referenceFrom, scanSources } from '@isocenter/dicom';
import { openSources, readNpy } from '@isocenter/formats';
import { type Grid, labelBoxes, makeVolume, type Segmentation } from '@isocenter/volume';

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
  const highest = labelBoxes(data, grid.size).size;
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

export const provenance: Provenance = {
  modelName: 'bench',
  modelVersion: '1',
  weightsHash: '',
  configurationHash: '',
  runUID: '2.25.1',
  softwareVersion: '0.1.0',
};
