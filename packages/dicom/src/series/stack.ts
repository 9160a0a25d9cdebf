/**
 * Geometry of a stack of parallel slices: order along the normal, distances, the affine. Slices ascend along
 * row × column, so every affine is right-handed: an axial head-first stack runs from feet to head, a flipped one too.
 */
import { type Affine, cross, dot, indexToPatient, type Vector3 } from '@isocenter/volume';
import { GAP_TOLERANCE_MM, ORTHONORMAL_TOLERANCE } from './findings.js';
import type { Frame } from './frame.js';

/** A frame whose place is known. */
export type PlacedFrame = Frame & Required<Pick<Frame, 'position' | 'rowDirection' | 'columnDirection'>>;

export function isPlaced(frame: Frame): frame is PlacedFrame {
  return frame.position !== undefined && frame.rowDirection !== undefined && frame.columnDirection !== undefined;
}

export function sliceNormal(frame: PlacedFrame): Vector3 {
  const normal = cross(frame.rowDirection, frame.columnDirection);
  const length = Math.hypot(normal[0], normal[1], normal[2]);
  return [normal[0] / length, normal[1] / length, normal[2] / length];
}

/** Unit length and right angle of the direction cosines, within tolerance. */
export function isOrthonormal(frame: PlacedFrame): boolean {
  const { rowDirection: row, columnDirection: column } = frame;
  const off = [dot(row, row) - 1, dot(column, column) - 1, dot(row, column)];
  return off.every((value) => Math.abs(value) <= ORTHONORMAL_TOLERANCE);
}

/** Ascending along the normal of the first frame; equal heights by UID, so that nothing depends on the order given. */
export function orderAlongNormal(frames: readonly PlacedFrame[]): {
  readonly slices: readonly PlacedFrame[];
  /** mm along the normal, per slice. */
  readonly heights: readonly number[];
} {
  const normal = sliceNormal(frames[0]);
  const placed = frames.map((frame) => ({ frame, height: dot(frame.position, normal) }));
  placed.sort(
    (a, b) => a.height - b.height || (a.frame.instance.SOPInstanceUID < b.frame.instance.SOPInstanceUID ? -1 : 1),
  );
  return { slices: placed.map((each) => each.frame), heights: placed.map((each) => each.height) };
}

export function intervalsOf(heights: readonly number[]): readonly number[] {
  return heights.slice(1).map((height, index) => height - heights[index]);
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1];
}

/** All distances within the tolerance of their median. */
export function isRegular(intervals: readonly number[]): boolean {
  const median = medianOf(intervals);
  return intervals.every((interval) => Math.abs(interval - median) <= GAP_TOLERANCE_MM);
}

/** First and last slice of the longest run of equal distances; the lowest of several. */
export function longestRun(intervals: readonly number[]): { readonly first: number; readonly last: number } {
  let best = { first: 0, last: 0 };
  let first = 0;
  for (let n = 0; n < intervals.length; n++) {
    if (Math.abs(intervals[n] - intervals[first]) > GAP_TOLERANCE_MM) first = n;
    if (n + 1 - first > best.last - best.first) best = { first, last: n + 1 };
  }
  return best;
}

/**
 * The distance of which all intervals are whole multiples, if there is one: then slices are missing rather than unevenly
 * spaced. The median distance is tried first, then the smallest, then what the header says.
 */
export function baseInterval(intervals: readonly number[], hints: readonly (number | undefined)[]): number | undefined {
  const candidates = [medianOf(intervals), Math.min(...intervals), ...hints];
  return candidates.find(
    (base) =>
      base !== undefined &&
      base > GAP_TOLERANCE_MM &&
      intervals.every((interval) => {
        const times = Math.round(interval / base);
        return times >= 1 && Math.abs(interval - times * base) <= GAP_TOLERANCE_MM;
      }),
  );
}

/**
 * Affine of the stack: rows and columns by the first slice's directions and pixel spacing, slices by the mean step
 * between first and last position as a vector, so that the shear of a tilted gantry is kept exactly.
 */
export function stackAffine(
  slices: readonly PlacedFrame[],
  pixelSpacing: readonly [number, number],
  singleSliceStep: number,
): Affine {
  const first = slices[0];
  const last = slices[slices.length - 1];
  const normal = sliceNormal(first);
  const steps = slices.length - 1;
  const [betweenRows, betweenColumns] = pixelSpacing;
  const rows: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    const step = steps > 0 ? (last.position[axis] - first.position[axis]) / steps : normal[axis] * singleSliceStep;
    const across = first.rowDirection[axis] * betweenColumns;
    const down = first.columnDirection[axis] * betweenRows;
    rows.push(across, down, step, first.position[axis]);
  }
  // -0 is not kept: it would make equal affines print differently.
  return [...rows, 0, 0, 0, 1].map((value) => value + 0);
}

/** Largest distance (mm) of a slice's first pixel from where the affine puts it. */
export function largestMisfit(slices: readonly PlacedFrame[], affine: Affine): number {
  let worst = 0;
  slices.forEach(({ position }, k) => {
    const [x, y, z] = indexToPatient(affine, 0, 0, k);
    worst = Math.max(worst, Math.hypot(position[0] - x, position[1] - y, position[2] - z));
  });
  return worst;
}

/** Degrees between the slice normal and the line along which the slices are stacked. */
export function tiltDegrees(slices: readonly PlacedFrame[]): number {
  if (slices.length < 2) return 0;
  const first = slices[0].position;
  const last = slices[slices.length - 1].position;
  const line: Vector3 = [last[0] - first[0], last[1] - first[1], last[2] - first[2]];
  const sideways = cross(line, sliceNormal(slices[0]));
  return (Math.atan2(Math.hypot(...sideways), dot(line, sliceNormal(slices[0]))) * 180) / Math.PI;
}
