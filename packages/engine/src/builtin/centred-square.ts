/**
 * The label map of the Phantom test model (specs/protocols.md 3.7): one square block of 60 × 60 pixels through the
 * middle half of the slices. Its odd cases (small images) follow Python's slice rules, which the first
 * implementation relied on: an end past the edge is clipped, a negative start counts from the end.
 */
import { type Grid, type LabelMap, makeVolume, voxelCount } from '@isocenter/volume';

/** Half the side of the square in pixels. */
const HALF_SIDE = 30;

/** First index and index past the last of Python's `[start:end]` on an axis of `length`. */
export function pythonSlice(start: number, end: number, length: number): readonly [number, number] {
  const clip = (index: number) => Math.min(Math.max(index < 0 ? index + length : index, 0), length);
  return [clip(start), clip(end)];
}

/** Label map on `grid`: 1 inside the block, 0 outside. */
export function centredSquare(grid: Grid): LabelMap {
  const [ni, nj, nk] = grid.size;
  const labels = new Uint8Array(voxelCount(grid.size));
  const quarter = Math.trunc(nk / 4);
  const range = (n: number) => pythonSlice(Math.trunc(n / 2 - HALF_SIDE), Math.trunc(n / 2 + HALF_SIDE), n);
  const [k0, k1] = pythonSlice(quarter, 3 * quarter, nk);
  const [j0, j1] = range(nj);
  const [i0, i1] = range(ni);
  for (let k = k0; k < k1; k++)
    for (let j = j0; j < j1; j++) if (i1 > i0) labels.fill(1, i0 + ni * (j + nj * k), i1 + ni * (j + nj * k));
  return makeVolume(labels, grid.size, grid.affine);
}
