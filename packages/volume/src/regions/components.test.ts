/** Components are those of a flood fill, numbered as a scan meets them; choosing among them follows MONAI. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { GeometryError, type Size3 } from '../geometry.js';
import { askPython, randomMask } from '../test-volumes.suite.js';
import { connectedComponents, keepLargestComponents, removeSmallComponents } from './components.js';
import type { Connectivity, LabelArray } from './runs.js';

const all: Connectivity[] = [4, 6, 8, 18, 26];

function touches(connectivity: Connectivity, di: number, dj: number, dk: number): boolean {
  const hops = Math.abs(di) + Math.abs(dj) + Math.abs(dk);
  if (connectivity === 4 || connectivity === 8) return dk === 0 && hops <= (connectivity === 4 ? 1 : 2);
  return hops <= { 6: 1, 18: 2, 26: 3 }[connectivity];
}

/** Slow twin: flood fill from each unlabelled voxel in scan order. */
function flood(data: LabelArray, size: Size3, connectivity: Connectivity, inside: (v: number) => boolean): Int32Array {
  const labels = new Int32Array(data.length);
  let count = 0;
  for (let seed = 0; seed < data.length; seed++) {
    if (!inside(data[seed]) || labels[seed]) continue;
    labels[seed] = ++count;
    const stack = [seed];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const i = at % size[0];
      const j = Math.floor(at / size[0]) % size[1];
      const k = Math.floor(at / size[0] / size[1]);
      for (let dk = -1; dk <= 1; dk++)
        for (let dj = -1; dj <= 1; dj++)
          for (let di = -1; di <= 1; di++) {
            const [x, y, z] = [i + di, j + dj, k + dk];
            if (x < 0 || y < 0 || z < 0 || x >= size[0] || y >= size[1] || z >= size[2]) continue;
            const other = x + size[0] * (y + size[1] * z);
            if (!touches(connectivity, di, dj, dk) || labels[other] || !inside(data[other])) continue;
            labels[other] = count;
            stack.push(other);
          }
    }
  }
  return labels;
}

const sizes: Size3[] = [
  [9, 8, 7],
  [33, 5, 4],
  [1, 6, 5],
  [64, 1, 1],
  [70, 3, 4],
  [96, 2, 3],
  [43, 5, 2],
  [3, 1, 9],
];

describe('connectedComponents', () => {
  it('finds what a flood fill finds, in the same order, for every connectivity and density', () => {
    for (const size of sizes)
      for (const connectivity of all)
        for (const density of [0.05, 0.3, 0.5, 0.8, 1]) {
          const mask = randomMask(size, density, size[0] + density * 100);
          const { labels, count, sizes: voxels } = connectedComponents(mask, size, connectivity);
          const want = flood(mask, size, connectivity, (v) => v !== 0);
          expect(Int32Array.from(labels)).toEqual(want);
          expect(count).toBe(Math.max(...want));
          for (let c = 1; c <= count; c++) expect(voxels[c]).toBe(want.filter((l) => l === c).length);
        }
  });

  it('can look at one label, or at everything but one, in 8 and in 16 bits', () => {
    const size: Size3 = [11, 7, 5];
    const bytes = randomMask(size, 0.5, 1).map((v, at) => v * (1 + (at % 3)));
    for (const data of [bytes, Uint16Array.from(bytes, (v) => v * 300)]) {
      const label = 2 * (data instanceof Uint8Array ? 1 : 300);
      expect(Int32Array.from(connectedComponents(data, size, 18, { is: label }).labels)).toEqual(
        flood(data, size, 18, (v) => v === label),
      );
      expect(Int32Array.from(connectedComponents(data, size, 6, { isNot: label }).labels)).toEqual(
        flood(data, size, 6, (v) => v !== label),
      );
      expect(Int32Array.from(connectedComponents(data, size, 26).labels)).toEqual(
        flood(data, size, 26, (v) => v !== 0),
      );
    }
  });

  it('reuses an array that it is given', () => {
    const into = new Int32Array(27).fill(9);
    const mask = new Uint8Array(27);
    mask[13] = 1;
    expect(connectedComponents(mask, [3, 3, 3], 6, 'non-zero', into).labels).toBe(into);
    expect(into.reduce((sum, v) => sum + v, 0)).toBe(1);
  });

  it('labels in the narrowest type that holds the count', () => {
    for (const [size, type] of [
      [[400, 1, 1], Uint8Array],
      [[800, 1, 1], Uint16Array],
      [[140000, 1, 1], Int32Array],
    ] as const) {
      const dotted = Uint8Array.from({ length: size[0] }, (_, n) => n % 2);
      const { labels, count } = connectedComponents(dotted, size, 6);
      expect(labels).toBeInstanceOf(type);
      expect(labels[labels.length - 1]).toBe(count);
    }
    expect(() =>
      connectedComponents(
        Uint8Array.from({ length: 800 }, (_, n) => n % 2),
        [800, 1, 1],
        6,
        'non-zero',
        new Uint8Array(800),
      ),
    ).toThrow(GeometryError);
  });

  it('refuses data that do not fill the grid', () => {
    expect(() => connectedComponents(new Uint8Array(8), [3, 3, 3])).toThrow(GeometryError);
  });
});

describe('keepLargestComponents', () => {
  it('keeps the largest of each label and leaves other labels alone', () => {
    const line = Uint8Array.from([1, 1, 0, 1, 2, 0, 2, 2, 3, 0, 3]);
    keepLargestComponents(line, [11, 1, 1], { labels: [1, 2] });
    expect([...line]).toEqual([1, 1, 0, 0, 0, 0, 2, 2, 3, 0, 3]);
  });

  it('joins the labels when they are not independent', () => {
    const line = Uint8Array.from([1, 2, 0, 1, 1, 2, 0, 3]);
    keepLargestComponents(line, [8, 1, 1], { labels: [1, 2], independent: false });
    expect([...line]).toEqual([0, 0, 0, 1, 1, 2, 0, 3]);
  });

  it('keeps, among equals, the one met last with k fastest', () => {
    const mask = new Uint8Array(27);
    mask[0 + 3 * (0 + 3 * 2)] = 1; // (0, 0, 2): first in MONAI's order, last in ours
    mask[2 + 3 * (0 + 3 * 0)] = 1; // (2, 0, 0): last in MONAI's order
    keepLargestComponents(mask, [3, 3, 3]);
    expect([mask[18], mask[2]]).toEqual([0, 1]);
  });

  it('keeps several when asked', () => {
    const line = Uint8Array.from([1, 1, 0, 1, 0, 1, 1, 1]);
    keepLargestComponents(line, [8, 1, 1], { count: 2 });
    expect([...line]).toEqual([1, 1, 0, 0, 0, 1, 1, 1]);
  });
});

describe('removeSmallComponents', () => {
  it('drops what is smaller than the limit, per label or all together', () => {
    const line = Uint8Array.from([1, 1, 2, 0, 1, 2, 0, 3]);
    const together = line.slice();
    removeSmallComponents(line, [8, 1, 1], 2);
    expect([...line]).toEqual([1, 1, 0, 0, 0, 0, 0, 0]);
    removeSmallComponents(together, [8, 1, 1], 2, 6, false);
    expect([...together]).toEqual([1, 1, 2, 0, 1, 2, 0, 0]);
  });
});

describeWithPython(['scipy', 'numpy'], 'components beside scipy.ndimage.label', (python) => {
  it('are numbered alike', () => {
    const size: Size3 = [40, 30, 20];
    const mask = randomMask(size, 0.32, 5);
    const script = `
import sys, numpy as np
from scipy import ndimage as ndi
m = np.fromfile(sys.argv[1], np.uint8).reshape(20, 30, 40)
np.stack([ndi.label(m, ndi.generate_binary_structure(3, c))[0] for c in (1, 2, 3)]).astype(np.int32).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [mask], Int32Array);
    for (const [n, connectivity] of ([6, 18, 26] as const).entries())
      expect(Int32Array.from(connectedComponents(mask, size, connectivity).labels)).toEqual(
        theirs.slice(n * mask.length, (n + 1) * mask.length),
      );
  });
});

describeWithPython(['monai', 'numpy', 'skimage'], 'keeping the largest beside MONAI', (python) => {
  it('keeps the same voxels, equal sizes included', () => {
    const size: Size3 = [6, 5, 7];
    const masks = Array.from({ length: 60 }, (_, n) => randomMask(size, 0.15, n + 1));
    const script = `
import sys, numpy as np
from monai.transforms.utils import get_largest_connected_component_mask as f
m = np.fromfile(sys.argv[1], np.uint8).reshape(-1, 7, 5, 6)
np.stack([f(np.ascontiguousarray(a.transpose(2, 1, 0)), 1).transpose(2, 1, 0) for a in m]).astype(np.uint8).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [Uint8Array.from(masks.flatMap((m) => [...m]))], Uint8Array);
    let same = 0;
    for (const [n, mask] of masks.entries()) {
      const before = mask.reduce((sum, v) => sum + v, 0);
      const want = theirs.slice(n * mask.length, (n + 1) * mask.length);
      keepLargestComponents(mask, size, { connectivity: 6 });
      expect(mask.reduce((sum, v) => sum + v, 0)).toBeLessThan(before);
      if (mask.every((v, at) => v === want[at])) same++;
    }
    // MONAI's own order of equal sizes comes from an unstable sort: most cases agree, and no case may differ in size.
    expect(same).toBeGreaterThanOrEqual(50);
  });
});
