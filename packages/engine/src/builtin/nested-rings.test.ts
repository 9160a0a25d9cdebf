import { IDENTITY_AFFINE } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { nestedRings } from './nested-rings.js';

/** The rule of specs/protocols.md 1.9, pixel by pixel and without shortcuts. */
function ringOf(i: number, j: number, ni: number, nj: number): number {
  const d = Math.max(Math.floor(Math.abs(2 * i + 1 - ni) / 2), Math.floor(Math.abs(2 * j + 1 - nj) / 2));
  for (let k = 1; k <= 5; k++) if (3 * (k - 1) <= d && d < 3 * k) return k;
  return 0;
}

describe('PassThrough draws five nested rings in every slice', () => {
  for (const [ni, nj, nk] of [
    [64, 48, 3],
    [33, 40, 2],
    [7, 5, 1],
    [512, 512, 2],
  ] as const)
    it(`follows the rule on ${ni} × ${nj} × ${nk}`, () => {
      const { data } = nestedRings({ size: [ni, nj, nk], affine: IDENTITY_AFFINE });
      let wrong = 0;
      for (let k = 0; k < nk; k++)
        for (let j = 0; j < nj; j++)
          for (let i = 0; i < ni; i++) if (data[i + ni * (j + nj * k)] !== ringOf(i, j, ni, nj)) wrong++;
      expect(wrong).toBe(0);
    });

  it('gives every ring its known area on an even and on an odd image', () => {
    const areas = (n: number) => {
      const counts = [0, 0, 0, 0, 0, 0];
      for (const label of nestedRings({ size: [n, n, 1], affine: IDENTITY_AFFINE }).data) counts[label]++;
      return counts.slice(1);
    };
    // Even: ring k fills a square of side 6k; odd: of side 6k - 1 (the middle pixel row is shared).
    expect(areas(64)).toEqual([36, 108, 180, 252, 324]);
    expect(areas(63)).toEqual([25, 96, 168, 240, 312]);
  });
});
