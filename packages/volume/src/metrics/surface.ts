/**
 * Distances between the surfaces of two masks of one grid. The surface is the inside voxels with a background voxel
 * among their 6 neighbours (MONAI: mask XOR its erosion); distances are between voxel centres in mm. Axes of one voxel
 * are no axes: a single slice is compared in its plane. Rules: shared/specs/monai.md C.6.
 */
import { type Box, boundingBox, boxSize, cutBox, joinBoxes } from '../box.js';
import { GeometryError, type Size3, type Vector3 } from '../geometry.js';
import { squaredDistances } from '../regions/distance.js';

/** Distances in mm, ascending, from each surface voxel of one mask to the nearest of the other; empty when a mask is. */
export interface SurfaceDistances {
  readonly aToB: Float64Array;
  readonly bToA: Float64Array;
  readonly aEmpty: boolean;
  readonly bEmpty: boolean;
}

/** Measures once what all the functions below read. Throws GeometryError `size-mismatch`. */
export function surfaceDistances(a: Uint8Array, b: Uint8Array, size: Size3, spacing: Vector3): SurfaceDistances {
  if (a.length !== b.length || a.length !== size[0] * size[1] * size[2])
    throw new GeometryError('size-mismatch', `Masks of ${a.length} and ${b.length} voxels on ${size.join(' × ')}`);
  const boxA = boundingBox(a, size);
  const boxB = boundingBox(b, size);
  const box = joinBoxes(boxA, boxB);
  if (!box || !boxA || !boxB)
    return { aToB: new Float64Array(0), bToA: new Float64Array(0), aEmpty: !boxA, bEmpty: !boxB };
  const extent = boxSize(box);
  const surfaceA = surfaceIn(a, size, box);
  const surfaceB = surfaceIn(b, size, box);
  const work = new Float32Array(surfaceA.length);
  squaredDistances(surfaceB, extent, spacing, 'mask', work);
  const aToB = sortedAt(surfaceA, work);
  squaredDistances(surfaceA, extent, spacing, 'mask', work);
  return { aToB, bToA: sortedAt(surfaceB, work), aEmpty: false, bEmpty: false };
}

/** The mask's surface voxels, as a mask of the box. */
export function surfaceIn(mask: Uint8Array, size: Size3, box: Box): Uint8Array {
  const inside = cutBox(mask, size, box);
  const [ni, nj, nk] = boxSize(box);
  const out = new Uint8Array(inside.length);
  const [useI, useJ, useK] = size.map((n) => n > 1);
  const plane = ni * nj;
  for (let k = 0, at = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni; i++, at++) {
        if (inside[at] === 0) continue;
        const interior =
          (!useI || (i > 0 && i < ni - 1 && inside[at - 1] !== 0 && inside[at + 1] !== 0)) &&
          (!useJ || (j > 0 && j < nj - 1 && inside[at - ni] !== 0 && inside[at + ni] !== 0)) &&
          (!useK || (k > 0 && k < nk - 1 && inside[at - plane] !== 0 && inside[at + plane] !== 0));
        if (!interior) out[at] = 1;
      }
  return out;
}

function sortedAt(surface: Uint8Array, squares: Float32Array): Float64Array {
  let count = 0;
  for (let at = 0; at < surface.length; at++) count += surface[at];
  const out = new Float64Array(count);
  for (let at = 0, n = 0; at < surface.length; at++) if (surface[at] !== 0) out[n++] = Math.sqrt(squares[at]);
  return out.sort();
}

/** The value below which `percent` of the ascending values lie, linear between ranks (numpy's default). */
export function percentileOf(ascending: Float64Array, percent: number): number {
  const place = (percent / 100) * (ascending.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, ascending.length - 1);
  return ascending[low] + (ascending[high] - ascending[low]) * (place - low);
}

/** One mask empty: infinitely far. Both: nothing to measure. */
function emptyValue({ aEmpty, bEmpty }: SurfaceDistances): number | undefined {
  if (aEmpty && bEmpty) return Number.NaN;
  return aEmpty || bEmpty ? Infinity : undefined;
}

/**
 * Hausdorff distance in mm at a percentile (100 = maximum, 95 = HD95): percentile in each direction, the larger of the two;
 * `directed` takes only a → b. One mask empty: Infinity; both: NaN.
 */
export function hausdorff(distances: SurfaceDistances, percent = 100, directed = false): number {
  const empty = emptyValue(distances);
  if (empty !== undefined) return empty;
  const there = percentileOf(distances.aToB, percent);
  return directed ? there : Math.max(there, percentileOf(distances.bToA, percent));
}

/** Mean surface distance in mm: a → b, or `symmetric` the mean over both lists together. Empty masks as in `hausdorff`. */
export function averageSurfaceDistance(distances: SurfaceDistances, symmetric = false): number {
  const empty = emptyValue(distances);
  if (empty !== undefined) return empty;
  const { aToB, bToA } = distances;
  let sum = 0;
  for (const d of aToB) sum += d;
  if (!symmetric) return sum / aToB.length;
  for (const d of bToA) sum += d;
  return sum / (aToB.length + bToA.length);
}

/** Share of all surface voxels of both masks that lie within `tolerance` mm of the other. One empty: 0; both: NaN. */
export function surfaceDice(distances: SurfaceDistances, tolerance: number): number {
  const { aToB, bToA, aEmpty, bEmpty } = distances;
  if (aEmpty && bEmpty) return Number.NaN;
  if (aEmpty || bEmpty) return 0;
  let near = 0;
  for (const d of aToB) if (d <= tolerance) near++;
  for (const d of bToA) if (d <= tolerance) near++;
  return near / (aToB.length + bToA.length);
}
