/** What is said of each structure in tables and reports: voxels, volume, contours, mean value, verdict of the proofs. */
import {
  countPoints,
  type LabelMap,
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

/** Rows in the order of the structures; without an image no means. */
export function structureTable(
  segmentation: Segmentation,
  image: Volume | undefined,
  proofs: readonly Proof[] = [],
): StructureRow[] {
  // A proof has counted the same voxels.
  const voxels = proofs[0]?.structures.map((row) => row.voxels) ?? structureVoxels(segmentation);
  const sums = image && segmentation.layers.map((layer) => sumsByLabel(layer, image));
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
      ...(sums && voxels[n] > 0 ? { mean: sums[layer][label] / voxels[n] } : {}),
      proof: verdicts.length === 0 ? 'none' : exact ? 'exact' : 'differs',
    };
  });
}

/** Most voxels are background, of which nobody asks the mean: it is passed four voxels at a time. */
function sumsByLabel({ data }: LabelMap, image: Volume): Float64Array {
  const sums = new Float64Array(data instanceof Uint8Array ? 256 : 65536);
  const aligned = data instanceof Uint8Array && data.byteOffset % 4 === 0;
  const words = aligned ? new Uint32Array(data.buffer, data.byteOffset, data.length >> 2) : new Uint32Array(0);
  for (let w = 0; w < words.length; w++)
    if (words[w] !== 0) for (let n = 4 * w; n < 4 * w + 4; n++) sums[data[n]] += image.data[n];
  for (let n = 4 * words.length; n < data.length; n++) sums[data[n]] += image.data[n];
  return sums;
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
