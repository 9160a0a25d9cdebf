/** Distances are those to the nearest of all target voxels, and balls are what lies within them. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { GeometryError, type Size3, type Vector3 } from '../geometry.js';
import { askPython, randomMask } from '../test-volumes.suite.js';
import { closeBall, dilateBall, erodeBall, openBall } from './ball.js';
import { distanceTransform } from './distance.js';

/** Slow twin: every voxel against every target. */
function slowly(mask: Uint8Array, size: Size3, spacing: Vector3, toMask: boolean): Float64Array {
  const place = (n: number): number[] => [
    (n % size[0]) * spacing[0],
    (Math.floor(n / size[0]) % size[1]) * spacing[1],
    Math.floor(n / size[0] / size[1]) * spacing[2],
  ];
  const targets = [...mask.keys()].filter((n) => (mask[n] !== 0) === toMask).map(place);
  return Float64Array.from(mask, (_, n) => {
    const p = place(n);
    return Math.min(...targets.map((t) => Math.hypot(t[0] - p[0], t[1] - p[1], t[2] - p[2])));
  });
}

const cases: [Size3, Vector3][] = [
  [
    [9, 8, 7],
    [1, 1, 1],
  ],
  [
    [20, 5, 6],
    [0.7, 0.8, 3],
  ],
  [
    [1, 12, 9],
    [2, 0.5, 1],
  ],
  [
    [33, 1, 4],
    [1, 1, 0.3],
  ],
];

describe('distanceTransform', () => {
  it('is the distance to the nearest target, inside and outside, for any spacing', () => {
    for (const [size, spacing] of cases)
      for (const density of [0.01, 0.2, 0.9]) {
        const mask = randomMask(size, density, size[0]);
        for (const to of ['mask', 'background'] as const) {
          const want = slowly(mask, size, spacing, to === 'mask');
          const got = distanceTransform(mask, size, spacing, to);
          for (let n = 0; n < mask.length; n++)
            if (want[n] === Infinity) expect(got[n]).toBe(Infinity);
            else expect(Math.abs(got[n] - want[n])).toBeLessThan(1e-6 * (1 + want[n]));
        }
      }
  });

  it('is Infinity everywhere when there is no target', () => {
    expect(distanceTransform(new Uint8Array(8), [2, 2, 2], [1, 1, 1], 'mask').every((d) => d === Infinity)).toBe(true);
  });

  it('refuses data that do not fill the grid', () => {
    expect(() => distanceTransform(new Uint8Array(8), [3, 3, 3], [1, 1, 1], 'mask')).toThrow(GeometryError);
  });
});

describe('morphology with a ball', () => {
  it('reaches exactly the radius in millimetres', () => {
    for (const [size, spacing] of cases)
      for (const radius of [0.4, 1, 2.1]) {
        const mask = randomMask(size, 0.05, 4);
        const outside = slowly(mask, size, spacing, true);
        expect(dilateBall(mask, size, spacing, radius)).toEqual(
          Uint8Array.from(outside, (d) => (d <= radius + 1e-9 ? 1 : 0)),
        );
      }
  });

  it('erodes from the background and from beyond the grid', () => {
    const cube = new Uint8Array(125).fill(1);
    expect(erodeBall(cube, [5, 5, 5], [1, 1, 1], 1).reduce((sum, v) => sum + v, 0)).toBe(27);
    expect(erodeBall(cube, [5, 5, 5], [1, 1, 3], 1).reduce((sum, v) => sum + v, 0)).toBe(45);
    expect(erodeBall(cube, [5, 5, 5], [1, 1, 1], 3).some((v) => v !== 0)).toBe(false);
  });

  it('opens inwards and closes outwards, also at the border', () => {
    for (const [size, spacing] of cases) {
      const mask = randomMask(size, 0.4, 9);
      const opened = openBall(mask, size, spacing, 1);
      const closed = closeBall(mask, size, spacing, 1);
      for (let n = 0; n < mask.length; n++) {
        expect(opened[n]).toBeLessThanOrEqual(mask[n]);
        expect(closed[n]).toBeGreaterThanOrEqual(mask[n]);
      }
      expect(closeBall(closed, size, spacing, 1)).toEqual(closed);
    }
  });

  it('leaves an empty mask empty', () => {
    for (const f of [dilateBall, erodeBall, openBall, closeBall])
      expect(f(new Uint8Array(8), [2, 2, 2], [1, 1, 1], 3).some(Boolean)).toBe(false);
  });
});

describeWithPython(['scipy', 'numpy'], 'distances beside scipy.ndimage.distance_transform_edt', (python) => {
  it('agree on a larger anisotropic volume', () => {
    const size: Size3 = [60, 50, 40];
    const mask = randomMask(size, 0.999, 3);
    const script = `
import sys, numpy as np
from scipy import ndimage as ndi
m = np.fromfile(sys.argv[1], np.uint8).reshape(40, 50, 60)
ndi.distance_transform_edt(m, (2.5, 0.9, 0.7)).astype(np.float32).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [mask], Float32Array);
    const ours = distanceTransform(mask, size, [0.7, 0.9, 2.5], 'background');
    let worst = 0;
    for (let n = 0; n < mask.length; n++) worst = Math.max(worst, Math.abs(ours[n] - theirs[n]));
    expect(worst).toBeLessThan(1e-5);
  });
});
