/**
 * The patient without couch, blankets and air: what stays of the tissue when thin things are worn away, grown back to its
 * surface, with its insides filled slice by slice.
 */
import { dilateMask, erodeMask, findRuns, paintRuns, type Size3 } from '@isocenter/volume';
import { type CoarseGrid, cellVolumeMl } from './coarse-grid.js';
import { fillPlaneHoles } from './fill-plane-holes.js';

/** Skin against air, half way between about -1000 and soft tissue with fat: usual for external contours. */
export const SKIN_HU = -300;
/** Couch shells and their contact with the back are thinner than twice this. */
const WEAR_MM = 4;
/** Arms and legs beside the trunk are parts of their own; couch pieces that survive the wearing are smaller. */
const PART_SHARE = 0.02;
/** Mean of a part of a person; foam and cloth lie below, clamps and plastics above. */
const PART_MEAN_HU = [-150, 350] as const;
/** Less tissue than this is no patient. */
const LEAST_ML = 10;

export interface CoarseBody {
  /** 1 in the cells of the body, its air included. */
  readonly mask: Uint8Array;
  /** 1 in the cells that are tissue by their HU, the couch included. */
  readonly tissue: Uint8Array;
  readonly empty: boolean;
}

export function coarseBody(grid: CoarseGrid): CoarseBody {
  const { size, hu } = grid;
  const tissue = new Uint8Array(hu.length);
  for (let c = 0; c < hu.length; c++) tissue[c] = hu[c] > SKIN_HU ? 1 : 0;
  // Beyond the edge of the image the patient goes on: nothing is worn away from there.
  const steps = Math.max(1, Math.round(WEAR_MM / Math.min(grid.cell[0], grid.cell[1])));
  const worn = erodeInPlanes(tissue, size, steps);
  const mask = mainParts(worn, grid);
  dilateMask(mask, size, 4, steps, mask);
  for (let c = 0; c < mask.length; c++) mask[c] &= tissue[c];
  fillPlaneHoles(mask, size, 1);
  const voxels = mask.reduce((sum, value) => sum + value, 0);
  const empty = voxels * cellVolumeMl(grid) < LEAST_ML;
  if (empty) mask.fill(0);
  return { mask, tissue, empty };
}

/** Erosion with the 4-neighbourhood of each plane, in which cells outside the image count as inside. */
function erodeInPlanes(data: Uint8Array, size: Size3, steps: number): Uint8Array {
  const [ni, nj, nk] = size;
  const wide: Size3 = [ni + 2 * steps, nj + 2 * steps, nk];
  const padded = new Uint8Array(wide[0] * wide[1] * nk).fill(1);
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const from = ni * (j + nj * k);
      padded.set(data.subarray(from, from + ni), steps + wide[0] * (j + steps + wide[1] * k));
    }
  // The frame of ones must not hold pieces together once it is cut off again, so it is cut before components are made.
  erodeMask(padded, wide, 4, steps, padded);
  const out = new Uint8Array(data.length);
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const from = steps + wide[0] * (j + steps + wide[1] * k);
      out.set(padded.subarray(from, from + ni), ni * (j + nj * k));
    }
  return out;
}

function mainParts(worn: Uint8Array, { size, hu }: CoarseGrid): Uint8Array {
  const runs = findRuns(worn, size, 6);
  const sum = new Float64Array(runs.count + 1);
  for (let r = 0; r < runs.length; r++)
    for (let i = runs.start[r]; i < runs.end[r]; i++) sum[runs.component[r]] += hu[runs.row[r] * size[0] + i];
  const isTissue = (c: number) => {
    const mean = sum[c] / runs.sizes[c];
    return mean > PART_MEAN_HU[0] && mean < PART_MEAN_HU[1];
  };
  let largest = 0;
  for (let c = 1; c <= runs.count; c++) if (isTissue(c)) largest = Math.max(largest, runs.sizes[c]);
  const mask = new Uint8Array(worn.length);
  paintRuns(runs, size[0], mask, 1, (c) => isTissue(c) && runs.sizes[c] >= largest * PART_SHARE);
  return mask;
}
