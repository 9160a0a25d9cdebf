/** What is said of each structure in tables and reports: voxels, volume, contours, mean value, verdict of the proofs. */
import {
  countPoints,
  type Segmentation,
  structureVoxels,
  traceLabelMap,
  type Volume,
  volumeInMl,
} from '@isocenter/volume';
import type { Proof } from '../proof/proof.js';

export interface StructureRow {
  readonly name: string;
  readonly label: number;
  /** From 1. */
  readonly layer: number;
  readonly voxels: number;
  readonly ml: number;
  /** Contours along voxel edges, all slices together. */
  readonly contours: number;
  /** Mean image value inside, in the image's unit; undefined when empty. */
  readonly mean?: number;
  /** 'exact', 'differs' or 'none' (nothing was proven). */
  readonly proof: 'exact' | 'differs' | 'none';
}

/** Rows in the order of the structures. */
export function structureTable(
  segmentation: Segmentation,
  image: Volume,
  proofs: readonly Proof[] = [],
): StructureRow[] {
  const voxels = structureVoxels(segmentation);
  const sums = segmentation.layers.map(({ data }) => {
    const sum = new Float64Array(data instanceof Uint8Array ? 256 : 65536);
    // Most voxels are background, of which nobody asks the mean.
    for (let n = 0; n < data.length; n++) if (data[n] !== 0) sum[data[n]] += image.data[n];
    return sum;
  });
  const contours = contourCounts(segmentation, proofs);
  return segmentation.structures.map(({ name, label, layer }, n) => {
    const verdicts = proofs.map(({ structures }) => structures[n]).filter((row) => row !== undefined);
    const exact = verdicts.every(({ missing, extra }) => missing === 0 && extra === 0);
    return {
      name,
      label,
      layer: layer + 1,
      voxels: voxels[n],
      ml: volumeInMl(voxels[n], segmentation.grid.affine),
      contours: contours[n],
      ...(voxels[n] > 0 ? { mean: sums[layer][label] / voxels[n] } : {}),
      proof: verdicts.length === 0 ? 'none' : exact ? 'exact' : 'differs',
    };
  });
}

/** Counted while the RTSTRUCT was proven, or traced now. */
function contourCounts({ layers, structures }: Segmentation, proofs: readonly Proof[]): number[] {
  const counted = proofs.find(
    ({ structures: rows }) => rows.length > 0 && rows.every((row) => row.contours !== undefined),
  );
  if (counted) return counted.structures.map(({ contours }) => contours ?? 0);
  const traced = layers.map((map) => new Map(traceLabelMap(map).map((one) => [one.label, countPoints(one).rings])));
  return structures.map(({ layer, label }) => traced[layer].get(label) ?? 0);
}
