/**
 * The three ways in which a NIfTI header says where the image lies (nifti1.h, methods 1 to 3), in RAS millimetres, chosen
 * as nibabel and MONAI choose; and the quaternion of a rotation for writing.
 */
import { type Affine, spacingOf } from '@isocenter/volume';
import { FormatError } from '../format-error.js';
import type { NiftiHeader } from './nifti-header.js';

export type AffineOrigin = 'sform' | 'qform' | 'pixdim';

export interface NiftiAffine {
  /** Voxel centres to RAS mm. */
  readonly ras: Affine;
  readonly from: AffineOrigin;
  /** What was tolerated, for a report. */
  readonly notes: readonly string[];
}

/** Spacings of sform and pixdim that differ by less (relative) are the same: header numbers are 32-bit floats. */
const SPACING_TOLERANCE = 1e-3;

/** xyzt_units & 7 (nifti1.h): 0 unknown (millimetres in practice), 1 metre, 2 millimetre, 3 micrometre. */
const MM_PER_UNIT: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1000],
  [2, 1],
  [3, 1e-3],
]);
const SPATIAL_UNITS = 7;

/** Throws FormatError `invalid-geometry` when the chosen form is no affine. */
export function niftiAffine(header: NiftiHeader): NiftiAffine {
  const notes: string[] = [];
  let from: AffineOrigin = header.sformCode > 0 ? 'sform' : header.qformCode > 0 ? 'qform' : 'pixdim';
  if (from === 'sform' && header.qformCode > 0 && !sameSpacing(spacingOf(sformAffine(header)), header)) {
    notes.push('The sform contradicts pixdim; the qform was used.');
    from = 'qform';
  }
  if (from === 'pixdim')
    notes.push('The header says nothing about orientation; the centre of the image was taken as origin.');
  let ras = from === 'sform' ? sformAffine(header) : from === 'qform' ? qformAffine(header) : pixdimAffine(header);
  const unit = MM_PER_UNIT.get(header.xyztUnits & SPATIAL_UNITS);
  if (unit === undefined) notes.push('Unknown unit of length; millimetres were assumed.');
  else if (unit !== 1) {
    ras = ras.map((value, i) => (i < 12 ? value * unit : value));
    notes.push(`Lengths were converted to millimetres (times ${unit}).`);
  }
  if (!ras.every(Number.isFinite) || spacingOf(ras).some((length) => !(length > 0)))
    throw new FormatError('invalid-geometry', `The ${from} of the header is not an affine`, {
      where: `NIfTI ${from}`,
      next: 'Repair the header with the program that wrote it.',
    });
  return { ras, from, notes };
}

function sameSpacing(spacing: readonly number[], header: NiftiHeader): boolean {
  return spacing.every((length, axis) => {
    const announced = Math.abs(header.pixdim[axis + 1]);
    return Math.abs(length - announced) <= SPACING_TOLERANCE * Math.max(length, announced);
  });
}

function sformAffine(header: NiftiHeader): Affine {
  return [...header.srows, 0, 0, 0, 1];
}

/** Method 2: rotation of the unit quaternion, columns times pixdim, the third times qfac. */
function qformAffine(header: NiftiHeader): Affine {
  const [b, c, d] = header.quaternion;
  const square = 1 - (b * b + c * c + d * d);
  const [x, y, z] = header.qoffset;
  // Float rounding may take 1 - |bcd|² below zero for half-turns.
  const scale = square < 0 ? 1 / Math.sqrt(b * b + c * c + d * d) : 1;
  const [p, q, r] = [b * scale, c * scale, d * scale];
  const a = Math.sqrt(Math.max(0, square));
  const qfac = header.pixdim[0] < 0 ? -1 : 1;
  const [dx, dy, dz] = [positive(header.pixdim[1]), positive(header.pixdim[2]), positive(header.pixdim[3]) * qfac];
  return [
    (a * a + p * p - q * q - r * r) * dx,
    2 * (p * q - a * r) * dy,
    2 * (p * r + a * q) * dz,
    x,
    2 * (p * q + a * r) * dx,
    (a * a + q * q - p * p - r * r) * dy,
    2 * (q * r - a * p) * dz,
    y,
    2 * (p * r - a * q) * dx,
    2 * (q * r + a * p) * dy,
    (a * a + r * r - p * p - q * q) * dz,
    z,
    0,
    0,
    0,
    1,
  ];
}

/** A 2-D image may leave pixdim[3] at zero: one slice of any thickness. */
function positive(length: number): number {
  return length === 0 ? 1 : length;
}

/** Method 1 as nibabel does it: x runs to the left, the origin is the centre of the image. */
function pixdimAffine(header: NiftiHeader): Affine {
  const affine = new Array<number>(16).fill(0);
  for (let axis = 0; axis < 3; axis++) {
    const step = positive(header.pixdim[axis + 1]) * (axis === 0 ? -1 : 1);
    affine[axis * 5] = step;
    affine[axis * 4 + 3] = (-((header.dims[axis] ?? 1) - 1) / 2) * step;
  }
  affine[15] = 1;
  return affine;
}

/** b, c, d and qfac of a RAS affine without shear, or undefined where the axes are not perpendicular. */
export function quaternionOf(ras: Affine): { bcd: [number, number, number]; qfac: 1 | -1 } | undefined {
  const spacing = spacingOf(ras);
  const m = [0, 1, 2].map((row) => [0, 1, 2].map((column) => ras[row * 4 + column] / spacing[column]));
  for (const [p, q] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ])
    if (Math.abs(m[0][p] * m[0][q] + m[1][p] * m[1][q] + m[2][p] * m[2][q]) > PERPENDICULAR) return undefined;
  const determinant =
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
    m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
    m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  const qfac = determinant < 0 ? -1 : 1;
  for (const row of m) row[2] *= qfac;
  return { bcd: quaternionOfRotation(m), qfac };
}

/** Cosine between axes below which they are perpendicular: what 32-bit header numbers leave of a right angle. */
const PERPENDICULAR = 1e-5;

/** Each component's square from the diagonal; the largest one is the divisor, so nothing is divided by nearly zero. */
function quaternionOfRotation(m: number[][]): [number, number, number] {
  const [xx, yy, zz] = [m[0][0], m[1][1], m[2][2]];
  const squares = [1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz];
  const largest = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[largest]);
  const [yz, zx, xy] = [m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]];
  const [sxy, szx, syz] = [m[0][1] + m[1][0], m[0][2] + m[2][0], m[1][2] + m[2][1]];
  const [a, b, c, d] = [
    [s / 4, yz / s, zx / s, xy / s],
    [yz / s, s / 4, sxy / s, szx / s],
    [zx / s, sxy / s, s / 4, syz / s],
    [xy / s, szx / s, syz / s, s / 4],
  ][largest];
  // q and -q are one rotation; the header leaves out a and takes it as not negative.
  return a < 0 ? [-b, -c, -d] : [b, c, d];
}
