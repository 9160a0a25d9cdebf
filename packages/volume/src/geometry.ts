/**
 * The only home of coordinate conventions. Patient coordinates are LPS millimetres (DICOM PS3.3 C.7.6.2.1.1: +x to the
 * patient's left, +y to the back, +z to the head). A voxel index (i, j, k) names a voxel CENTRE; i runs fastest in memory
 * (along an image row, increasing column number), then j (increasing row number), then k (slice). NIfTI and MONAI speak
 * RAS; `lpsToRas` is the one door between the two.
 */
import { Failure } from './failure.js';

export type Vector3 = readonly [number, number, number];
/** Voxels along i, j, k. */
export type Size3 = readonly [number, number, number];
/** 4 × 4 matrix, row-major, 16 numbers, last row 0 0 0 1: maps voxel-centre indices (i, j, k, 1) to LPS mm. */
export type Affine = readonly number[];

/** Two positions closer than this (mm) are the same position: DICOM decimal strings keep 1e-3 to 1e-6 mm. */
export const POSITION_TOLERANCE_MM = 1e-3;
/** Two unit directions whose components differ by less than this are the same direction (about 0.006 degrees). */
export const DIRECTION_TOLERANCE = 1e-4;

export class GeometryError extends Failure<'singular-affine' | 'invalid-affine' | 'size-mismatch'> {}

export const IDENTITY_AFFINE: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** Affine from a 3 × 3 direction (columns = unit directions of i, j, k in LPS), spacing in mm, and origin = centre of voxel (0,0,0) in LPS mm. */
export function affineFrom(
  directions: readonly [Vector3, Vector3, Vector3],
  spacing: Vector3,
  origin: Vector3,
): Affine {
  const [a, b, c] = directions;
  const rows: number[] = [];
  for (let r = 0; r < 3; r++) rows.push(a[r] * spacing[0], b[r] * spacing[1], c[r] * spacing[2], origin[r]);
  rows.push(0, 0, 0, 1);
  return rows;
}

/** Voxel spacing (mm) along i, j, k: the lengths of the affine's columns. */
export function spacingOf(affine: Affine): Vector3 {
  return [
    Math.hypot(affine[0], affine[4], affine[8]),
    Math.hypot(affine[1], affine[5], affine[9]),
    Math.hypot(affine[2], affine[6], affine[10]),
  ];
}

/** Unit directions of i, j, k in LPS. Throws GeometryError `invalid-affine` on a column of zero length. */
export function directionsOf(affine: Affine): readonly [Vector3, Vector3, Vector3] {
  const spacing = spacingOf(affine);
  const column = (c: number): Vector3 => {
    if (!(spacing[c] > 0)) throw new GeometryError('invalid-affine', `Axis ${c} of the affine has no length`);
    return [affine[c] / spacing[c], affine[4 + c] / spacing[c], affine[8 + c] / spacing[c]];
  };
  return [column(0), column(1), column(2)];
}

export function originOf(affine: Affine): Vector3 {
  return [affine[3], affine[7], affine[11]];
}

/** LPS mm of index (i, j, k), which may be fractional. */
export function indexToPatient(affine: Affine, i: number, j: number, k: number): Vector3 {
  return [
    affine[0] * i + affine[1] * j + affine[2] * k + affine[3],
    affine[4] * i + affine[5] * j + affine[6] * k + affine[7],
    affine[8] * i + affine[9] * j + affine[10] * k + affine[11],
  ];
}

/** a · b, both row-major 4 × 4 affines. */
export function composeAffines(a: Affine, b: Affine): Affine {
  const out = new Array<number>(16).fill(0);
  for (let r = 0; r < 4; r++)
    for (let c = 0; c < 4; c++) {
      let sum = 0;
      for (let m = 0; m < 4; m++) sum += a[r * 4 + m] * b[m * 4 + c];
      out[r * 4 + c] = sum;
    }
  return out;
}

/** Inverse of an affine (last row 0 0 0 1), by cofactors. Throws GeometryError `singular-affine`. */
export function invertAffine(m: Affine): Affine {
  const [a, b, c, tx, d, e, f, ty, g, h, i, tz] = m;
  const A = e * i - f * h;
  const B = f * g - d * i;
  const C = d * h - e * g;
  const determinant = a * A + b * B + c * C;
  if (!Number.isFinite(determinant) || Math.abs(determinant) < 1e-300)
    throw new GeometryError('singular-affine', 'The affine cannot be inverted: its axes are not independent');
  const s = 1 / determinant;
  const r = [
    A * s,
    (c * h - b * i) * s,
    (b * f - c * e) * s,
    B * s,
    (a * i - c * g) * s,
    (c * d - a * f) * s,
    C * s,
    (b * g - a * h) * s,
    (a * e - b * d) * s,
  ];
  return [
    r[0],
    r[1],
    r[2],
    -(r[0] * tx + r[1] * ty + r[2] * tz),
    r[3],
    r[4],
    r[5],
    -(r[3] * tx + r[4] * ty + r[5] * tz),
    r[6],
    r[7],
    r[8],
    -(r[6] * tx + r[7] * ty + r[8] * tz),
    0,
    0,
    0,
    1,
  ];
}

/** LPS affine to RAS affine, and back (the same operation): x and y change sign. */
export function lpsToRas(affine: Affine): Affine {
  return affine.map((value, index) => (index < 8 && value !== 0 ? -value : value));
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** True when both grids have the same size and every voxel centre coincides within `toleranceMm`. */
export function sameGrid(
  a: { size: Size3; affine: Affine },
  b: { size: Size3; affine: Affine },
  toleranceMm = POSITION_TOLERANCE_MM,
): boolean {
  if (a.size.some((n, axis) => n !== b.size[axis])) return false;
  for (let corner = 0; corner < 8; corner++) {
    const i = corner & 1 ? a.size[0] - 1 : 0;
    const j = corner & 2 ? a.size[1] - 1 : 0;
    const k = corner & 4 ? a.size[2] - 1 : 0;
    const p = indexToPatient(a.affine, i, j, k);
    const q = indexToPatient(b.affine, i, j, k);
    if (Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) > toleranceMm) return false;
  }
  return true;
}
