/** Morphology on packed words does what looking at every neighbour of every voxel does. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { GeometryError, type Size3 } from '../geometry.js';
import { askPython, randomMask } from '../test-volumes.suite.js';
import { closeMask, dilateMask, erodeMask, openMask } from './morphology.js';
import type { Connectivity } from './runs.js';

function neighbours(connectivity: Connectivity): [number, number, number][] {
  const out: [number, number, number][] = [];
  for (let dk = -1; dk <= 1; dk++)
    for (let dj = -1; dj <= 1; dj++)
      for (let di = -1; di <= 1; di++) {
        const hops = Math.abs(di) + Math.abs(dj) + Math.abs(dk);
        const flat = connectivity === 4 || connectivity === 8;
        if (flat ? dk === 0 && hops <= connectivity / 4 : hops <= { 6: 1, 18: 2, 26: 3 }[connectivity])
          out.push([di, dj, dk]);
      }
  return out;
}

/** Slow twin of one step; outside the grid is background. */
function step(data: Uint8Array, size: Size3, connectivity: Connectivity, grow: boolean): Uint8Array {
  const at = (i: number, j: number, k: number): number =>
    i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2] ? 0 : data[i + size[0] * (j + size[1] * k)];
  return data.map((_, n) => {
    const i = n % size[0];
    const j = Math.floor(n / size[0]) % size[1];
    const k = Math.floor(n / size[0] / size[1]);
    const values = neighbours(connectivity).map(([a, b, c]) => at(i + a, j + b, k + c));
    return grow ? Math.max(...values) : Math.min(...values);
  });
}

const sizes: Size3[] = [
  [7, 6, 5],
  [32, 4, 3],
  [33, 3, 4],
  [65, 2, 2],
  [1, 5, 6],
  [64, 5, 4],
  [40, 3, 3],
];
const all: Connectivity[] = [4, 6, 8, 18, 26];

describe('erosion and dilation', () => {
  it('look at the neighbours they should, at word borders and grid borders too', () => {
    for (const size of sizes)
      for (const connectivity of all)
        for (const density of [0, 0.01, 0.1, 0.6, 0.95]) {
          const mask = randomMask(size, density, size[0]);
          expect(dilateMask(mask, size, connectivity)).toEqual(step(mask, size, connectivity, true));
          expect(erodeMask(mask, size, connectivity)).toEqual(step(mask, size, connectivity, false));
        }
  });

  it('repeat, and may work in place', () => {
    const size: Size3 = [40, 9, 8];
    const mask = randomMask(size, 0.02, 3);
    const twice = step(step(mask, size, 18, true), size, 18, true);
    expect(dilateMask(mask, size, 18, 2)).toEqual(twice);
    expect(dilateMask(mask, size, 18, 2, mask)).toBe(mask);
    expect(mask).toEqual(twice);
    expect(erodeMask(mask, size, 6, 2)).toEqual(step(step(twice, size, 6, false), size, 6, false));
    expect(dilateMask(mask, size, 26, 0)).toEqual(mask);
  });

  it('refuse data that do not fill the grid', () => {
    expect(() => erodeMask(new Uint8Array(8), [3, 3, 3])).toThrow(GeometryError);
  });
});

describe('opening and closing', () => {
  it('shrink and grow: opening is inside the mask, the mask inside its closing, and doing it again changes nothing', () => {
    const size: Size3 = [34, 9, 8];
    for (const connectivity of all) {
      const mask = randomMask(size, 0.7, 8);
      const opened = openMask(mask, size, connectivity);
      const closed = closeMask(mask, size, connectivity);
      for (let n = 0; n < mask.length; n++) {
        expect(opened[n]).toBeLessThanOrEqual(mask[n]);
        expect(closed[n]).toBeGreaterThanOrEqual(mask[n]);
      }
      expect(openMask(opened, size, connectivity)).toEqual(opened);
      expect(closeMask(closed, size, connectivity)).toEqual(closed);
    }
  });

  it('close a gap but not the space between structures further apart', () => {
    const line = Uint8Array.from([1, 0, 1, 0, 0, 0, 1]);
    expect([...closeMask(line, [7, 1, 1], 26)]).toEqual([1, 1, 1, 0, 0, 0, 1]);
    expect([...openMask(Uint8Array.from([1, 0, 1, 1, 1, 0, 1]), [7, 1, 1], 6)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});

describeWithPython(['scipy', 'numpy'], 'morphology beside scipy.ndimage', (python) => {
  it('gives the same erosions and dilations', () => {
    const size: Size3 = [37, 12, 11];
    const mask = randomMask(size, 0.9, 2);
    const script = `
import sys, numpy as np
from scipy import ndimage as ndi
m = np.fromfile(sys.argv[1], np.uint8).reshape(11, 12, 37)
s = [ndi.generate_binary_structure(3, c) for c in (1, 2, 3)]
np.stack([f(m, x, 2) for x in s for f in (ndi.binary_erosion, ndi.binary_dilation)]).astype(np.uint8).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [mask], Uint8Array);
    const ours = ([6, 18, 26] as const).flatMap((c) => [erodeMask(mask, size, c, 2), dilateMask(mask, size, c, 2)]);
    for (const [n, mine] of ours.entries()) expect(mine).toEqual(theirs.slice(n * mask.length, (n + 1) * mask.length));
  });
});
