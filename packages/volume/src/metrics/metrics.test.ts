/** Measures between masks: MONAI's golden values, the stated rules for empty masks, and slow twins. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { GeometryError, IDENTITY_AFFINE, type Size3, type Vector3 } from '../geometry.js';
import { askPython, randomMask } from '../test-volumes.suite.js';
import { makeVolume } from '../volume.js';
import { compareMasks } from './compare-masks.js';
import { dice, jaccard, overlapOf, volumeInMl } from './overlap.js';
import { averageSurfaceDistance, hausdorff, percentileOf, surfaceDice, surfaceDistances } from './surface.js';

/** 10 x 10 with rows r0 … r1 − 1 (first axis, our i) and columns c0 … c1 − 1 inside. */
function block(r0: number, r1: number, c0: number, c1: number): Uint8Array {
  return Uint8Array.from({ length: 100 }, (_, n) => {
    const [row, column] = [n % 10, Math.floor(n / 10)];
    return row >= r0 && row < r1 && column >= c0 && column < c1 ? 1 : 0;
  });
}
const P = block(2, 6, 2, 6);
const G = block(3, 9, 2, 7);
const flat: Size3 = [10, 10, 1];

/** Slow twin: surface voxels by looking around, distances pair by pair. */
function slowDistances(a: Uint8Array, b: Uint8Array, size: Size3, spacing: Vector3): [number[], number[]] {
  const at = (m: Uint8Array, i: number, j: number, k: number): number =>
    i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2] ? 0 : m[i + size[0] * (j + size[1] * k)];
  const surface = (m: Uint8Array): number[][] => {
    const out: number[][] = [];
    for (let k = 0; k < size[2]; k++)
      for (let j = 0; j < size[1]; j++)
        for (let i = 0; i < size[0]; i++) {
          const around = [
            [1, 0, 0],
            [-1, 0, 0],
            [0, 1, 0],
            [0, -1, 0],
            [0, 0, 1],
            [0, 0, -1],
          ];
          if (at(m, i, j, k) && around.some(([x, y, z]) => !at(m, i + x, j + y, k + z)))
            out.push([i * spacing[0], j * spacing[1], k * spacing[2]]);
        }
    return out;
  };
  const [s, t] = [surface(a), surface(b)];
  const nearest = (from: number[][], to: number[][]): number[] =>
    from
      .map((p) => Math.min(...to.map((q) => Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]))))
      .sort((x, y) => x - y);
  return [nearest(s, t), nearest(t, s)];
}

describe('surface distances', () => {
  it('have the golden values of MONAI', () => {
    const d = surfaceDistances(P, G, flat, [1, 1, 1]);
    expect(hausdorff(d)).toBeCloseTo(3.162278, 5);
    expect(hausdorff(d, 100, true)).toBe(2);
    expect(hausdorff(d, 50)).toBe(1);
    expect(hausdorff(d, 95)).toBeCloseTo(3.024342, 5);
    expect(hausdorff(d, 95, true)).toBeCloseTo(1.45, 5);
    expect(averageSurfaceDistance(d)).toBe(0.75);
    expect(averageSurfaceDistance(d, true)).toBeCloseTo(1.193752, 5);
    expect(hausdorff(surfaceDistances(P, G, flat, [2, 0.5, 1]), 95)).toBeCloseTo(6.003119, 5);
  });

  it('agree with the slow twin in space', () => {
    const size: Size3 = [9, 8, 7];
    const spacing: Vector3 = [0.7, 0.9, 2.5];
    for (let seed = 1; seed < 12; seed++) {
      const [a, b] = [randomMask(size, seed / 12, seed), randomMask(size, 0.02 * seed, seed + 50)];
      const [there, back] = slowDistances(a, b, size, spacing);
      const d = surfaceDistances(a, b, size, spacing);
      expect(d.aToB.length).toBe(there.length);
      expect(d.bToA.length).toBe(back.length);
      for (const [n, value] of there.entries()) expect(d.aToB[n]).toBeCloseTo(value, 5);
      for (const [n, value] of back.entries()) expect(d.bToA[n]).toBeCloseTo(value, 5);
    }
  });

  it('are infinite when one mask is empty and undefined when both are', () => {
    const none = new Uint8Array(100);
    const one = surfaceDistances(P, none, flat, [1, 1, 1]);
    const both = surfaceDistances(none, none, flat, [1, 1, 1]);
    expect([hausdorff(one), averageSurfaceDistance(one, true), surfaceDice(one, 5)]).toEqual([Infinity, Infinity, 0]);
    expect([hausdorff(both), averageSurfaceDistance(both), surfaceDice(both, 5)]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it('give the share of surface within a tolerance', () => {
    const d = surfaceDistances(P, G, flat, [1, 1, 1]);
    const near = [...d.aToB, ...d.bToA].filter((x) => x <= 1).length;
    expect(surfaceDice(d, 1)).toBe(near / 30);
    expect(surfaceDice(d, 4)).toBe(1);
  });

  it('interpolate percentiles between ranks', () => {
    expect(percentileOf(Float64Array.of(1, 2, 4), 75)).toBe(3);
    expect(percentileOf(Float64Array.of(7), 95)).toBe(7);
  });
});

describe('overlap', () => {
  it('counts, and gives Dice, Jaccard and millilitres', () => {
    const overlap = overlapOf(P, G);
    expect(overlap).toEqual({ a: 16, b: 30, both: 12 });
    expect(dice(overlap)).toBe(24 / 46);
    expect(jaccard(overlap)).toBe(12 / 34);
    expect(volumeInMl(1000, [0, 2, 0, 9, -1, 0, 0, 9, 0, 0, 3, 9, 0, 0, 0, 1])).toBe(6);
  });

  it('counts alike in words and bytes, whatever stands for inside', () => {
    for (const length of [400, 403]) {
      const a = randomMask([length, 1, 1], 0.5, 1).map((v, n) => v * (1 + (n % 255)));
      const b = randomMask([length, 1, 1], 0.5, 2).map((v) => v * 128);
      expect(overlapOf(a, b)).toEqual({
        a: a.filter(Boolean).length,
        b: b.filter(Boolean).length,
        both: a.filter((v, n) => v && b[n]).length,
      });
    }
  });

  it('has no value for an empty reference unless told that two empty masks agree', () => {
    expect(dice({ a: 3, b: 0, both: 0 })).toBeNaN();
    expect([dice({ a: 3, b: 0, both: 0 }, 'agreement'), dice({ a: 0, b: 0, both: 0 }, 'agreement')]).toEqual([0, 1]);
    expect([jaccard({ a: 3, b: 0, both: 0 }, 'agreement'), jaccard({ a: 0, b: 0, both: 0 }, 'agreement')]).toEqual([
      0, 1,
    ]);
    expect(dice({ a: 0, b: 3, both: 0 })).toBe(0);
  });

  it('refuses masks of different length', () => {
    expect(() => overlapOf(P, new Uint8Array(3))).toThrow(GeometryError);
  });
});

describe('compareMasks', () => {
  const mask = (data: Uint8Array) => makeVolume(data, flat, IDENTITY_AFFINE);

  it('gives all measures at once', () => {
    const result = compareMasks(mask(P), mask(G), 1);
    expect(result.dice).toBe(24 / 46);
    expect(result.hausdorff95).toBeCloseTo(3.024342, 5);
    expect(result.referenceVolumeMl).toBeCloseTo(0.03, 12);
    expect(compareMasks(mask(P), mask(P)).surfaceDice).toBe(1);
  });

  it('refuses masks that lie on different grids', () => {
    const moved = makeVolume(G, flat, [1, 0, 0, 0.5, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    expect(() => compareMasks(mask(P), moved)).toThrow(GeometryError);
  });
});

describeWithPython(['monai', 'torch', 'numpy'], 'surface measures beside MONAI', (python) => {
  it('agree on random masks in space', () => {
    const size: Size3 = [12, 11, 10];
    const [a, b] = [randomMask(size, 0.02, 3), randomMask(size, 0.03, 4)];
    const script = `
import sys, numpy as np, torch
from monai.metrics import compute_hausdorff_distance as h, compute_average_surface_distance as s, compute_surface_dice as d
a, b = (torch.from_numpy(np.fromfile(f, np.uint8).reshape(1, 1, 10, 11, 12)) for f in sys.argv[1:3])
k = dict(include_background=True, spacing=(2.5, 0.9, 0.7))
out = [h(a, b, percentile=95, **k), h(a, b, directed=True, **k), s(a, b, **k), s(a, b, symmetric=True, **k), d(a, b, class_thresholds=[2.0], **k)]
np.array([float(x) for x in out]).tofile(sys.argv[3])`;
    const theirs = askPython(python, script, [a, b], Float64Array);
    const m = surfaceDistances(a, b, size, [0.7, 0.9, 2.5]);
    const ours = [
      hausdorff(m, 95),
      hausdorff(m, 100, true),
      averageSurfaceDistance(m),
      averageSurfaceDistance(m, true),
      surfaceDice(m, 2),
    ];
    for (const [n, value] of ours.entries()) expect(Math.abs(value - theirs[n])).toBeLessThan(1e-5);
  });
});
