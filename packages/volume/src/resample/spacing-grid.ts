/**
 * The grid that MONAI's Spacing transform resamples to: same directions without shear, new spacing, enough voxels to
 * reach the outermost input centres (shared/specs/monai.md C.2). It is the same in RAS and in our LPS.
 */
import {
  type Affine,
  composeAffines,
  indexToPatient,
  invertAffine,
  originOf,
  type Size3,
  spacingOf,
  type Vector3,
} from '../geometry.js';
import type { Grid, Volume } from '../volume.js';
import { type ResampleOptions, resample } from './resample.js';
import { roundHalfEven } from './taps.js';

/** Spacings closer than this (mm) to what is there need no resampling (MONAI's affine tolerance). */
export const SPACING_TOLERANCE_MM = 1e-3;
/** A corner is the minimal one when no other lies below it by more than this (output voxels). */
const CORNER_TOLERANCE = 1e-8;

/** Orthonormal columns by Gram-Schmidt: the rotation that is left when shear is removed (QR, as MONAI's Cholesky does). */
function rotationOf(affine: Affine): Vector3[] {
  const out: Vector3[] = [];
  for (let c = 0; c < 3; c++) {
    const v = [affine[c], affine[4 + c], affine[8 + c]];
    for (const q of out) {
      const along = q[0] * v[0] + q[1] * v[1] + q[2] * v[2];
      for (let r = 0; r < 3; r++) v[r] -= along * q[r];
    }
    const length = Math.hypot(v[0], v[1], v[2]);
    out.push([v[0] / length, v[1] / length, v[2] / length]);
  }
  return out;
}

/**
 * Grid with voxel spacing `pixdim` (mm along i, j, k) that covers `grid`. Missing entries take the last one given;
 * entries that are not positive numbers keep the present spacing. Returns `grid` itself when there is no shear to
 * remove and all spacings agree within SPACING_TOLERANCE_MM. Throws GeometryError on a singular affine.
 */
export function spacingGrid(grid: Grid, pixdim: readonly number[]): Grid {
  const present = spacingOf(grid.affine);
  const wanted = present.map((own, a) => {
    const value = pixdim[Math.min(a, pixdim.length - 1)];
    return value > 0 ? value : own;
  });
  const rotation = rotationOf(grid.affine);
  const affine = [0, 1, 2]
    .flatMap((r) => [...rotation.map((column, c) => column[r] * wanted[c]), 0])
    .concat(0, 0, 0, 1);
  const unchanged = affine.every(
    (value, at) => at % 4 === 3 || Math.abs(value - grid.affine[at]) <= SPACING_TOLERANCE_MM,
  );
  if (unchanged) return grid;
  const toOutput = composeAffines(invertAffine(affine), grid.affine);
  const corners: Vector3[] = [];
  for (const i of [0, grid.size[0] - 1])
    for (const j of [0, grid.size[1] - 1]) for (const k of [0, grid.size[2] - 1]) corners.push([i, j, k]);
  const mapped = corners.map(([i, j, k]) => indexToPatient(toOutput, i, j, k));
  const low = [0, 1, 2].map((a) => Math.min(...mapped.map((p) => p[a])));
  const high = [0, 1, 2].map((a) => Math.max(...mapped.map((p) => p[a])));
  const size = low.map((value, a) => roundHalfEven(roundNoise(high[a] - value + 1))) as unknown as Size3;
  const first = mapped.findIndex((p) => p.every((value, a) => value - low[a] <= CORNER_TOLERANCE));
  const origin = first >= 0 ? indexToPatient(grid.affine, ...corners[first]) : centredOrigin(grid, affine, size);
  for (let r = 0; r < 3; r++) affine[r * 4 + 3] = origin[r];
  return { size, affine };
}

/** Sheared grids may have no minimal corner: then the two grids share their centre (in MONAI's count, size / 2). */
function centredOrigin(grid: Grid, affine: Affine, size: Size3): Vector3 {
  const centre = indexToPatient(grid.affine, grid.size[0] / 2, grid.size[1] / 2, grid.size[2] / 2);
  const own = indexToPatient(affine, size[0] / 2, size[1] / 2, size[2] / 2);
  const zero = originOf(affine);
  return [centre[0] - own[0] + zero[0], centre[1] - own[1] + zero[1], centre[2] - own[2] + zero[2]];
}

/** Lengths carry the noise of an inverse; without this 5.5 could round as 5.4999999999. */
function roundNoise(x: number): number {
  const twice = Math.round(2 * x) / 2;
  return Math.abs(twice - x) < CORNER_TOLERANCE * Math.max(1, x) ? twice : x;
}

/** `resample(volume, spacingGrid(volume, pixdim), options)`. */
export function resampleToSpacing(volume: Volume, pixdim: readonly number[], options: ResampleOptions = {}): Volume {
  return resample(volume, spacingGrid(volume, pixdim), options);
}
