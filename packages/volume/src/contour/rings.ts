/**
 * What a contour is here: closed rings in the index coordinates of one slice, and who fills them how. Pixel (i, j) covers
 * i ± 0.5, j ± 0.5, so rings along voxel edges have half-integer vertices; (i, j) = (0, 0) is a pixel CENTRE (geometry.ts).
 * How the three hole modes serve the readers of the world stands in the table at `HoleMode`.
 */
import { Failure } from '../failure.js';

/** Vertices [i0, j0, i1, j1, …] in index coordinates of a slice; closed implicitly (the first vertex is not repeated). */
export type Ring = Readonly<Float64Array<ArrayBufferLike>>;

/**
 * How holes are told to the reader of the contours. "Exact" means the same pixels, one for one, at every pixel centre:
 *
 * | reader fills …                                       | 'even-odd' | 'keyhole' | 'separate' |
 * |------------------------------------------------------|------------|-----------|------------|
 * | all rings of a slice together, even-odd (or XOR)     | exact      | exact     | exact      |
 * | all rings of a slice together, non-zero winding      | exact      | exact     | exact      |
 * | each ring alone (even-odd or non-zero), then joined  | holes lost | exact     | exact      |
 * | each ring alone, and needs simple polygons           | holes lost | –         | exact      |
 * | rounds points to pixels and paints borders           | –          | –         | –          |
 *
 * - `even-odd`: outer rings and holes as rings of their own. Each ring is a simple polygon.
 * - `keyhole`: each hole is tied to its outer ring by a channel of no width (PS3.3 C.8.8.6.3 describes it), so one polygon
 *   is one connected region. Channels run along i on a line between two pixel rows: no pixel centre is on them. The
 *   polygons touch themselves, along the channels and at diagonal touches.
 * - `separate`: a region with holes is cut, on such lines, into pieces without holes. Each piece is a simple polygon;
 *   viewers show the cuts as lines.
 *
 * The last two rows become exact for 'keyhole' and 'separate' with the option `inset` of tracePlane (the last
 * one also for 'even-odd' when it fills all rings together).
 * A slice without holes gives the same rings in all modes.
 */
export type HoleMode = 'even-odd' | 'keyhole' | 'separate';

/**
 * The contours of one label in one slice. Outer rings have a positive shoelace area in (i, j) (they run from +i towards
 * +j: clockwise on a screen with j downwards), holes a negative one.
 */
export interface PlaneContours {
  readonly kind: 'plane-contours';
  readonly label: number;
  /** Slice index of the volume. */
  readonly k: number;
  readonly mode: HoleMode;
  /** Each outer ring is followed by its holes. */
  readonly rings: readonly Ring[];
  /** For each ring: -1 for an outer ring, else the place in `rings` of the outer ring that it is a hole of. */
  readonly holeOf: readonly number[];
}

/** One label's contours in a volume, slices ascending, slices without contours left out. */
export interface LabelContours {
  readonly kind: 'label-contours';
  readonly label: number;
  readonly mode: HoleMode;
  readonly planes: readonly PlaneContours[];
}

/** One slice of a label map, not copied: pixel (i, j) is `data[offset + i + ni * j]`. */
export interface LabelPlane {
  readonly data: Uint8Array<ArrayBufferLike> | Uint16Array<ArrayBufferLike>;
  readonly offset: number;
  readonly ni: number;
  readonly nj: number;
}

export type ContourErrorKind =
  | 'not-finite'
  | 'too-far'
  | 'odd-length'
  | 'plane-mismatch'
  | 'label-out-of-range'
  | 'not-voxel-edges';

export class ContourError extends Failure<ContourErrorKind> {}

/** Signed shoelace area in pixels: positive for outer rings as `PlaneContours` orients them. */
export function ringArea(ring: Ring): number {
  const n = ring.length;
  let twice = 0;
  for (let p = 0, q = n - 2; p < n; q = p, p += 2) twice += ring[q] * ring[p + 1] - ring[p] * ring[q + 1];
  return twice / 2;
}

/** Sum of the signed areas, in pixels: for contours without inset the count of pixels, in every hole mode. */
export function contourArea(contours: PlaneContours): number {
  let area = 0;
  for (const ring of contours.rings) area += ringArea(ring);
  return area;
}

export function countPoints(contours: LabelContours): { readonly rings: number; readonly points: number } {
  let rings = 0;
  let points = 0;
  for (const plane of contours.planes) {
    rings += plane.rings.length;
    for (const ring of plane.rings) points += ring.length / 2;
  }
  return { rings, points };
}

/** Throws ContourError `plane-mismatch` when the plane does not lie in its data. */
export function checkPlane({ data, offset, ni, nj }: LabelPlane): void {
  const whole = Number.isInteger(offset) && Number.isInteger(ni) && Number.isInteger(nj);
  if (!whole || offset < 0 || ni < 1 || nj < 1 || offset + ni * nj > data.length)
    throw new ContourError('plane-mismatch', `A plane of ${ni} × ${nj} at ${offset} is not in ${data.length} voxels`);
}
