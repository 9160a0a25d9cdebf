/** Filling against a twin that asks each pixel centre on its own, and what filling refuses or ignores. */
import { describe, expect, it } from 'vitest';
import { type FillRule, fillPlane } from './fill-plane.js';
import type { LabelPlane, Ring } from './rings.js';
import { maskByReader, seeded } from './twins.suite.js';

const RULES: readonly FillRule[] = ['even-odd', 'union', 'winding'];

function emptyPlane(ni: number, nj: number): LabelPlane & { readonly data: Uint8Array } {
  return { data: new Uint8Array(ni * nj), offset: 0, ni, nj };
}

function fill(rings: readonly Ring[], ni: number, nj: number, rule: FillRule = 'even-odd'): Uint8Array {
  const plane = emptyPlane(ni, nj);
  fillPlane(plane, rings, 1, rule);
  return plane.data;
}

/** Points within and around the plane; `grid` 1 or 2 puts many on pixel centres and voxel corners, 0 anywhere. */
function randomRings(random: () => number, ni: number, nj: number, grid: number): Ring[] {
  const place = (n: number) => {
    const at = (random() * 1.6 - 0.3) * n;
    return grid === 0 ? at : Math.round(at * grid) / grid;
  };
  return Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
    const points: number[] = [];
    const count = Math.floor(random() * 12);
    for (let n = 0; n < count; n++) {
      points.push(place(ni), place(nj));
      if (random() < 0.15) points.push(...points.slice(-2));
    }
    return Float64Array.from(points);
  });
}

describe('filling agrees with asking each pixel centre', () => {
  for (const rule of RULES)
    it(`by the rule '${rule}', for 1200 random sets of rings that cross, repeat points and touch centres`, () => {
      const random = seeded(2);
      for (let n = 0; n < 1200; n++) {
        const [ni, nj] = [1 + Math.floor(random() * 16), 1 + Math.floor(random() * 16)];
        const rings = randomRings(random, ni, nj, n % 3);
        expect(fill(rings, ni, nj, rule)).toEqual(maskByReader(rings, ni, nj, rule));
      }
    });

  it('even-odd over all rings is XOR ring by ring', () => {
    const random = seeded(3);
    for (let n = 0; n < 300; n++) {
      const rings = randomRings(random, 13, 11, n % 3);
      const joined = new Uint8Array(13 * 11);
      for (const ring of rings) for (const [p, value] of fill([ring], 13, 11).entries()) joined[p] ^= value;
      expect(fill(rings, 13, 11)).toEqual(joined);
    }
  });

  it('with more crossings than are held at a time', () => {
    const random = seeded(4);
    const points: number[] = [];
    for (let n = 0; n < 12_000; n++) points.push(random() * 5 - 1, n % 2 === 0 ? -2 : 602);
    const rings = [Float64Array.from(points)];
    expect(fill(rings, 3, 600)).toEqual(maskByReader(rings, 3, 600, 'even-odd'));
  });

  it('with points as far out as 2^40 pixels', () => {
    const far = 2 ** 40;
    expect(fill([Float64Array.of(-far, -far, far, -far, far, far, -far, far)], 5, 4)).toEqual(
      new Uint8Array(20).fill(1),
    );
    const halfPlane = [Float64Array.of(2.5, -far, far, -far, far, far, 2.5, far)];
    expect(fill(halfPlane, 4, 1)).toEqual(Uint8Array.of(0, 0, 0, 1));
    expect(fill([Float64Array.of(1e9, 1e9, 2e9, 1e9, 2e9, 2e9)], 5, 4)).toEqual(new Uint8Array(20));
  });
});

describe('the half-open rule', () => {
  it('takes centres on left and upper borders, and leaves those on right and lower borders', () => {
    const square = [Float64Array.of(1, 1, 3, 1, 3, 3, 1, 3)];
    expect(fill(square, 5, 5)).toEqual(
      Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    );
  });

  it('gives each centre to exactly one of the triangles that share edges around a point', () => {
    const random = seeded(5);
    for (let n = 0; n < 300; n++) {
      const grid = [0, 1, 2][n % 3];
      const snap = (value: number) => (grid === 0 ? value : Math.round(value * grid) / grid);
      const [ci, cj] = [snap(2 + random() * 8), snap(2 + random() * 8)];
      // A fan around (ci, cj) over the border of a rectangle around the plane, its corners included.
      const border = [-2, -2, 14, -2, 14, 14, -2, 14];
      const rim: number[] = [];
      for (let side = 0; side < 4; side++) {
        const [i, j] = [border[2 * side], border[2 * side + 1]];
        const [di, dj] = [Math.sign(border[(2 * side + 2) % 8] - i), Math.sign(border[(2 * side + 3) % 8] - j)];
        const stops = [0, ...Array.from({ length: 4 }, () => snap(random() * 16))].sort((a, b) => a - b);
        for (const stop of stops) rim.push(i + di * stop, j + dj * stop);
      }
      const hits = new Uint8Array(144);
      for (let p = 0; p < rim.length; p += 2) {
        const q = (p + 2) % rim.length;
        const triangle = Float64Array.of(ci, cj, rim[p], rim[p + 1], rim[q], rim[q + 1]);
        for (const [pixel, value] of fill([triangle], 12, 12).entries()) hits[pixel] += value;
      }
      expect(hits).toEqual(new Uint8Array(144).fill(1));
    }
  });

  it('does not change when points are repeated, the start moves or the direction turns', () => {
    const random = seeded(6);
    for (let n = 0; n < 200; n++) {
      const points = [...randomRings(random, 9, 9, n % 3)[0]];
      const pairs = Array.from({ length: points.length / 2 }, (_, p) => [points[2 * p], points[2 * p + 1]]);
      const ring = (order: number[][]) => [Float64Array.from(order.flat())];
      const plain = fill(ring(pairs), 9, 9);
      expect(fill(ring([...pairs].reverse()), 9, 9)).toEqual(plain);
      expect(fill(ring([...pairs.slice(2), ...pairs.slice(0, 2)]), 9, 9)).toEqual(plain);
      if (pairs.length > 2) expect(fill(ring(pairs.flatMap((pair) => [pair, pair])), 9, 9)).toEqual(plain);
    }
  });
});

describe('filling reports and refuses', () => {
  const square = Float64Array.of(0.5, 0.5, 2.5, 0.5, 2.5, 2.5, 0.5, 2.5);

  it('rings of fewer than three points are ignored and counted', () => {
    const plane = emptyPlane(4, 4);
    const rings = [new Float64Array(0), Float64Array.of(1, 1), Float64Array.of(0, 0, 3, 3), square];
    for (const rule of RULES) expect(fillPlane(plane, rings, 1, rule).ignoredRings).toBe(3);
    expect(plane.data.reduce((sum, value) => sum + value, 0)).toBe(4);
  });

  it('counts pixels that changed and labels that were overwritten', () => {
    const plane = emptyPlane(4, 4);
    plane.data.set([7, 1], 5);
    expect(fillPlane(plane, [square], 1)).toEqual({ changed: 3, overwritten: 1, ignoredRings: 0 });
    expect(fillPlane(plane, [square], 1)).toEqual({ changed: 0, overwritten: 0, ignoredRings: 0 });
    expect(fillPlane(plane, [square], 0)).toEqual({ changed: 4, overwritten: 4, ignoredRings: 0 });
    expect(fillPlane(plane, [square], 0)).toEqual({ changed: 0, overwritten: 0, ignoredRings: 0 });
  });

  it('writes 16-bit labels into its own plane only', () => {
    const data = new Uint16Array(3 * 16);
    fillPlane({ data, offset: 16, ni: 4, nj: 4 }, [Float64Array.of(-9, -9, 9, -9, 9, 9, -9, 9)], 65535);
    expect(data.indexOf(65535)).toBe(16);
    expect(data.lastIndexOf(65535)).toBe(31);
  });

  const plane = emptyPlane(4, 4);
  const refusals: readonly [string, LabelPlane, readonly Ring[], number, string][] = [
    ['NaN', plane, [square, Float64Array.of(0, 0, 1, Number.NaN, 1, 1)], 1, 'not-finite'],
    ['infinity', plane, [square, Float64Array.of(0, 0, 1, Infinity, 1, 1)], 1, 'not-finite'],
    ['NaN in a ring that would be ignored', plane, [square, Float64Array.of(0, Number.NaN)], 1, 'not-finite'],
    ['a point beyond 2^40', plane, [square, Float64Array.of(0, 0, 1, 2 ** 41, 1, 1)], 1, 'too-far'],
    ['half a point', plane, [square, Float64Array.of(0, 0, 1, 1, 2)], 1, 'odd-length'],
    ['a label that the data type cannot hold', plane, [square], 256, 'label-out-of-range'],
    ['a label that is not a number', plane, [square], Number.NaN, 'label-out-of-range'],
    ['a plane outside of its data', { ...plane, offset: 1 }, [square], 1, 'plane-mismatch'],
    ['a plane of no rows', { ...plane, nj: 0 }, [square], 1, 'plane-mismatch'],
  ];
  for (const [what, where, rings, label, kind] of refusals)
    it(`refuses ${what} with '${kind}' and writes nothing`, () => {
      for (const rule of RULES)
        expect(() => fillPlane(where, rings, label, rule)).toThrow(expect.objectContaining({ kind }));
      expect(plane.data).toEqual(new Uint8Array(16));
    });
});
