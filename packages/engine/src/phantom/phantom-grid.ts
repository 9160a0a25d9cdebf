/** Where the phantom's slices lie in the patient: the plane, its flips and tilts, and the direction of stacking. */
import { affineFrom, cross, type Grid, type Size3, type Vector3 } from '@isocenter/volume';

export type PhantomPlane = 'axial' | 'sagittal' | 'coronal';

export interface PhantomGridOptions {
  /** Columns, rows, slices. */
  readonly size: Size3;
  /** mm between columns, rows, slices. */
  readonly spacing: Vector3;
  readonly plane?: PhantomPlane;
  /** Turn the image about the patient's x, y, z axes by these degrees, x first (an oblique scan). */
  readonly tilt?: Vector3;
  /** Columns run the other way (an image seen from behind). */
  readonly flipColumns?: boolean;
  /** Rows run the other way (an image upside down). */
  readonly flipRows?: boolean;
  /** LPS mm of the middle of the grid. */
  readonly centre: Vector3;
}

/** Directions of increasing column and row number, in LPS, as scanners draw each plane. */
const PLANES: Record<PhantomPlane, readonly [Vector3, Vector3]> = {
  axial: [
    [1, 0, 0],
    [0, 1, 0],
  ],
  coronal: [
    [1, 0, 0],
    [0, 0, -1],
  ],
  sagittal: [
    [0, 1, 0],
    [0, 0, -1],
  ],
};

function turned(vector: Vector3, tilt: Vector3): Vector3 {
  let [x, y, z] = vector;
  const [rx, ry, rz] = tilt.map((degrees) => (degrees * Math.PI) / 180);
  [y, z] = [y * Math.cos(rx) - z * Math.sin(rx), y * Math.sin(rx) + z * Math.cos(rx)];
  [x, z] = [x * Math.cos(ry) + z * Math.sin(ry), z * Math.cos(ry) - x * Math.sin(ry)];
  [x, y] = [x * Math.cos(rz) - y * Math.sin(rz), x * Math.sin(rz) + y * Math.cos(rz)];
  return [x, y, z];
}

/** The grid; its slices are stacked along the normal (columns × rows), as DICOM readers order them. */
export function phantomGrid(options: PhantomGridOptions): Grid {
  const { size, spacing, centre, tilt = [0, 0, 0] } = options;
  const [columns, rows] = PLANES[options.plane ?? 'axial'];
  const sign = (vector: Vector3, flip = false): Vector3 =>
    flip ? (vector.map((value) => (value === 0 ? 0 : -value)) as unknown as Vector3) : vector;
  const i = sign(turned(columns, tilt), options.flipColumns);
  const j = sign(turned(rows, tilt), options.flipRows);
  const k = cross(i, j);
  const half = size.map((n, axis) => ((n - 1) / 2) * spacing[axis]);
  // Millimetres with six decimals: what a DS value keeps, so that the grid read back is this grid.
  const origin = [0, 1, 2].map(
    (c) => Math.round((centre[c] - i[c] * half[0] - j[c] * half[1] - k[c] * half[2]) * 1e6) / 1e6,
  ) as unknown as Vector3;
  return { size, affine: affineFrom([i, j, k], spacing, origin) };
}
