import { IDENTITY_AFFINE } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { centredSquare, pythonSlice } from './centred-square.js';

/** Inclusive range of non-zero indices per axis (z, y, x) and their number. */
function occupied(size: readonly [number, number, number]) {
  const { data } = centredSquare({ size, affine: IDENTITY_AFFINE });
  const low = [Infinity, Infinity, Infinity];
  const high = [-1, -1, -1];
  let voxels = 0;
  data.forEach((label, index) => {
    if (label === 0) return;
    voxels++;
    const at = [Math.floor(index / (size[0] * size[1])), Math.floor(index / size[0]) % size[1], index % size[0]];
    at.forEach((value, axis) => {
      low[axis] = Math.min(low[axis], value);
      high[axis] = Math.max(high[axis], value);
    });
  });
  return { voxels, z: [low[0], high[0]], y: [low[1], high[1]], x: [low[2], high[2]] };
}

describe('Phantom fills exactly the block of specs/protocols.md 3.7', () => {
  const table = [
    { size: [512, 512, 100], z: [25, 74], y: [226, 285], x: [226, 285], voxels: 50 * 60 * 60 },
    { size: [128, 100, 8], z: [2, 5], y: [20, 79], x: [34, 93], voxels: 14400 },
    { size: [61, 61, 9], z: [2, 5], y: [0, 59], x: [0, 59], voxels: 4 * 60 * 60 },
    { size: [59, 59, 7], z: [1, 2], y: [0, 58], x: [0, 58], voxels: 2 * 59 * 59 },
    { size: [58, 58, 4], z: [1, 2], y: [57, 57], x: [57, 57], voxels: 2 },
    { size: [40, 40, 4], z: [1, 2], y: [30, 39], x: [30, 39], voxels: 2 * 10 * 10 },
  ] as const;
  for (const { size, ...expected } of table)
    it(`on ${size.join(' × ')}`, () => {
      expect(occupied(size)).toEqual(expected);
    });

  it('is empty with fewer than four slices', () => {
    for (const depth of [1, 2, 3]) expect(occupied([512, 512, depth]).voxels).toBe(0);
  });

  it('takes slice ends as Python does', () => {
    expect(pythonSlice(-1, 59, 58)).toEqual([57, 58]);
    expect(pythonSlice(-70, 10, 58)).toEqual([0, 10]);
  });
});
