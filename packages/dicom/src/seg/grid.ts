/** Where the frames of a segmentation lie: a grid of their own, or the slices of a given one. All tolerances are here. */
import {
  affineFrom,
  cross,
  dot,
  type Grid,
  indexToPatient,
  invertAffine,
  spacingOf,
  type Vector3,
} from '@isocenter/volume';
import { DicomError } from '../dataset/errors.js';
import type { SegFrame, SegObject } from './seg-object.js';

/** Two frames whose planes are closer than this (mm) are in the same slice. */
const SAME_SLICE_MM = 0.01;
/** A frame may miss its place in the grid by this part of a voxel: decimal strings of other makers keep six digits. */
const PLACE_TOLERANCE = 0.02;
/** Direction cosines of frames may differ by this. */
const COSINE_TOLERANCE = 1e-3;
/** Nobody has more slices; a spacing that would need them is a fault in the file. */
const MOST_SLICES = 16384;
const DEFAULT_SPACING_MM = 1;
/** Voxels of a grid that was made from positions alone: two frames far apart must not ask for a terabyte. */
const MOST_VOXELS = 2 ** 29;

export interface PlacedFrames {
  readonly grid: Grid;
  /** Slice of each frame of the object. */
  readonly slices: readonly number[];
}

interface Plane {
  readonly position: Vector3;
  readonly row: Vector3;
  readonly column: Vector3;
  readonly pixelSpacing: readonly [number, number];
}

function fault(message: string, where: string, next?: string): never {
  throw new DicomError('geometry', message, next ? { where, next } : { where });
}

function planeOf(frame: SegFrame, index: number): Plane {
  const { position, rowDirection: row, columnDirection: column, pixelSpacing } = frame;
  if (!position || !row || !column || !pixelSpacing)
    return fault(
      'A frame has no place in the patient.',
      `frame ${index + 1}`,
      'Segmentations of slides and the like have no volume.',
    );
  return { position, row, column, pixelSpacing };
}

const differ = (a: Vector3, b: Vector3): boolean =>
  a.some((value, axis) => Math.abs(value - b[axis]) > COSINE_TOLERANCE);

/** All frames, seen to share one orientation and pixel spacing. */
function planesOf(seg: SegObject): readonly Plane[] {
  const planes = seg.frames.map(planeOf);
  if (planes.length === 0) fault('The segmentation has no frames.', 'NumberOfFrames');
  const { row, column, pixelSpacing } = planes[0];
  planes.forEach((plane, index) => {
    const turned = differ(plane.row, row) || differ(plane.column, column);
    const scaled = plane.pixelSpacing.some(
      (value, axis) => Math.abs(value - pixelSpacing[axis]) > COSINE_TOLERANCE * pixelSpacing[axis],
    );
    if (turned || scaled) fault('Frames differ in orientation or pixel spacing.', `frame ${index + 1}`);
  });
  return planes;
}

/**
 * The grid that the frames lie on: slices along the normal of their planes, spacing as the positions show it (or as Spacing
 * Between Slices says, where it fits), missing frames empty. Throws DicomError 'geometry'.
 */
export function ownGrid(seg: SegObject): PlacedFrames {
  const planes = planesOf(seg);
  const { row, column, pixelSpacing } = planes[0];
  const normal = cross(row, column);
  const depths = planes.map(({ position }) => dot(position, normal));
  const sorted = [...depths].sort((a, b) => a - b);
  const distinct = sorted.filter((depth, n) => n === 0 || depth - sorted[n - 1] > SAME_SLICE_MM);
  const low = distinct[0];
  const extent = distinct[distinct.length - 1] - low;
  const declared = seg.frames[0].sliceSpacing ?? 0;
  let gap = Infinity;
  for (let n = 1; n < distinct.length; n++) gap = Math.min(gap, distinct[n] - distinct[n - 1]);
  const fits = (spacing: number): boolean =>
    spacing > SAME_SLICE_MM &&
    extent / spacing < MOST_SLICES &&
    distinct.every(
      (depth) =>
        Math.abs((depth - low) / spacing - Math.round((depth - low) / spacing)) <
        PLACE_TOLERANCE * Math.max(1, gap / spacing),
    );
  const steps = (spacing: number): number => Math.round(extent / spacing);
  let spacing: number;
  if (distinct.length === 1) spacing = declared > 0 ? declared : DEFAULT_SPACING_MM;
  else if (fits(declared)) spacing = extent / steps(declared);
  else if (fits(gap)) spacing = extent / steps(gap);
  else
    return fault(
      'The frames do not lie on evenly spaced slices.',
      'PlanePositionSequence',
      'Give the series that they were drawn on.',
    );
  const first = planes[depths.indexOf(Math.min(...depths.slice(0, planes.length)))].position;
  const last = planes[depths.lastIndexOf(sorted[sorted.length - 1])].position;
  // Slices stacked along another line than the normal (gantry tilt) have their step between first and last frame.
  const count = Math.max(1, steps(spacing));
  const step: Vector3 =
    distinct.length === 1
      ? [normal[0] * spacing, normal[1] * spacing, normal[2] * spacing]
      : [(last[0] - first[0]) / count, (last[1] - first[1]) / count, (last[2] - first[2]) / count];
  const length = Math.hypot(...step);
  const affine = affineFrom(
    [row, column, [step[0] / length, step[1] / length, step[2] / length]],
    [pixelSpacing[1], pixelSpacing[0], length],
    first,
  );
  const slices = depths.map((depth) => (distinct.length === 1 ? 0 : Math.round((depth - low) / spacing)));
  planes.forEach(({ position }, index) => {
    const at = indexToPatient(affine, 0, 0, slices[index]);
    const off = Math.hypot(position[0] - at[0], position[1] - at[1], position[2] - at[2]);
    if (off > PLACE_TOLERANCE * Math.min(...spacingOf(affine)) * 2)
      fault(
        'A frame is shifted against the others.',
        `frame ${index + 1}`,
        'Give the series that the frames were drawn on.',
      );
  });
  const nk = distinct.length === 1 ? 1 : steps(spacing) + 1;
  if (seg.columns * seg.rows * nk > MOST_VOXELS)
    throw new DicomError(
      'limit',
      `The frames span ${nk} slices of ${seg.columns} × ${seg.rows}, more than is read at once.`,
      {
        where: 'PlanePositionSequence',
        next: 'Give the series that the frames were drawn on.',
      },
    );
  return { grid: { size: [seg.columns, seg.rows, nk], affine }, slices };
}

/** Slices of a given grid that the frames show. Throws DicomError 'geometry' unless every frame is exactly one of them. */
export function onGrid(seg: SegObject, grid: Grid): PlacedFrames {
  const planes = planesOf(seg);
  const toIndex = invertAffine(grid.affine);
  const next = 'Read the segmentation on its own grid and resample it.';
  if (seg.columns !== grid.size[0] || seg.rows !== grid.size[1])
    fault(
      `Frames of ${seg.columns} × ${seg.rows} do not fit a grid of ${grid.size[0]} × ${grid.size[1]}.`,
      'Rows, Columns',
      next,
    );
  const slices = planes.map(({ position, row, column, pixelSpacing }, index) => {
    const [i, j, k] = indexToPatient(toIndex, position[0], position[1], position[2]);
    const slice = Math.round(k);
    const far = (axis: 0 | 1, direction: Vector3, spacing: number): Vector3 => {
      const length = spacing * (grid.size[axis] - 1);
      return [0, 1, 2].map((a) => position[a] + direction[a] * length) as unknown as Vector3;
    };
    const rowEnd = indexToPatient(toIndex, ...far(0, row, pixelSpacing[1]));
    const columnEnd = indexToPatient(toIndex, ...far(1, column, pixelSpacing[0]));
    const misses = [
      i,
      j,
      k - slice,
      rowEnd[0] - (grid.size[0] - 1),
      rowEnd[1],
      rowEnd[2] - slice,
      columnEnd[0],
      columnEnd[1] - (grid.size[1] - 1),
      columnEnd[2] - slice,
    ];
    // Corners far from the origin gather the rounding of spacing and cosines; a tenth of a voxel keeps every pixel centre.
    if (slice < 0 || slice >= grid.size[2] || misses.some((miss) => Math.abs(miss) > PLACE_TOLERANCE * 5))
      fault('A frame does not lie on a slice of the grid.', `frame ${index + 1}`, next);
    return slice;
  });
  return { grid, slices };
}
