/**
 * The label map of the PassThrough test model (specs/protocols.md 1.9): nested square rings three pixels thick, centred
 * on each slice, the same in every slice. It looks at the grid only, never at a voxel, and so tests everything around
 * a model: geometry in, contours out.
 */
import { type Grid, type LabelMap, makeVolume, voxelCount } from '@isocenter/volume';

/** Thickness of a ring in pixels. */
const RING_PIXELS = 3;
/** Rings are numbered 1 (centre) to 5; everything further out is background. */
const RINGS = 5;

/** Distance in pixels of index `i` from the middle of an axis of `length` pixels, rounded down. */
function distanceFromMiddle(i: number, length: number): number {
  return Math.floor(Math.abs(2 * i + 1 - length) / 2);
}

/** Label map on `grid`: 1..5 from the innermost ring outwards, 0 outside. */
export function nestedRings(grid: Grid): LabelMap {
  const [ni, nj, nk] = grid.size;
  const slice = new Uint8Array(ni * nj);
  for (let j = 0; j < nj; j++) {
    const dj = distanceFromMiddle(j, nj);
    for (let i = 0; i < ni; i++) {
      const ring = Math.floor(Math.max(distanceFromMiddle(i, ni), dj) / RING_PIXELS) + 1;
      slice[i + ni * j] = ring <= RINGS ? ring : 0;
    }
  }
  const labels = new Uint8Array(voxelCount(grid.size));
  for (let k = 0; k < nk; k++) labels.set(slice, k * ni * nj);
  return makeVolume(labels, grid.size, grid.affine);
}
