/** Label map to contours and back, whole volumes: exact in every promised pairing, at sizes of real slices. */
import { describe, expect, it } from 'vitest';
import { IDENTITY_AFFINE } from '../geometry.js';
import { type LabelMap, makeVolume } from '../volume.js';
import type { FillRule } from './fill-plane.js';
import { fillLabel, planeOf, traceLabelMap } from './label-map.js';
import { contourArea, countPoints, type HoleMode } from './rings.js';
import { tracePlane } from './trace-plane.js';
import { seeded } from './twins.suite.js';

const PAIRINGS: readonly [HoleMode, FillRule][] = [
  ['even-odd', 'even-odd'],
  ['keyhole', 'even-odd'],
  ['keyhole', 'union'],
  ['keyhole', 'winding'],
  ['separate', 'even-odd'],
  ['separate', 'union'],
  ['separate', 'winding'],
];

function ellipsoids(): LabelMap {
  const [ni, nj, nk] = [96, 80, 24];
  const data = new Uint8Array(ni * nj * nk);
  for (let label = 1; label <= 6; label++) {
    const [ci, cj] = [16 + 30 * ((label - 1) % 3), 20 + 38 * Math.floor((label - 1) / 3)];
    for (let k = 0; k < nk; k++)
      for (let j = 0; j < nj; j++)
        for (let i = 0; i < ni; i++) {
          const r = Math.hypot((i - ci) / 14, (j - cj) / 17, (k - 12) / 11);
          if (r <= 1 && (label % 2 === 1 || r > 0.4)) data[i + ni * (j + nj * k)] = label;
        }
  }
  return makeVolume(data, [ni, nj, nk], IDENTITY_AFFINE);
}

function noise(values: readonly number[], wide: boolean): LabelMap {
  const random = seeded(7);
  const size = [130, 97, 5] as const;
  const data = wide ? new Uint16Array(130 * 97 * 5) : new Uint8Array(130 * 97 * 5);
  for (let p = 0; p < data.length; p++) data[p] = values[Math.floor(random() * values.length)];
  return makeVolume<Uint8Array | Uint16Array>(data, size, IDENTITY_AFFINE);
}

const MAPS: readonly [string, LabelMap][] = [
  ['ellipsoids, every second one hollow', ellipsoids()],
  ['noise with many islands', noise([0, 0, 1], false)],
  ['noise with many holes', noise([0, 1, 1, 1], false)],
  ['noise of 16-bit labels', noise([0, 1, 256, 257, 65535], true)],
];

function emptyLike(map: LabelMap): LabelMap {
  return makeVolume<Uint8Array | Uint16Array>(map.data.slice().fill(0), map.size, map.affine);
}

describe('a label map comes back from its contours voxel for voxel', () => {
  for (const [name, map] of MAPS)
    for (const [holes, rule] of PAIRINGS)
      it(`${name}: '${holes}' rings, filled by '${rule}'`, () => {
        const back = emptyLike(map);
        for (const contours of traceLabelMap(map, { holes })) {
          const report = fillLabel(back, contours, { rule });
          expect(report.overwritten).toBe(0);
          expect(report.ignoredRings).toBe(0);
          expect(report.changed).toBe(contours.planes.reduce((sum, plane) => sum + contourArea(plane), 0));
        }
        expect(Buffer.compare(Buffer.from(back.data.buffer), Buffer.from(map.data.buffer))).toBe(0);
      });

  it('also when the voxels do not begin on a word of memory', () => {
    const plane = planeOf(MAPS[2][1], 1);
    const pixels = plane.data.slice(plane.offset, plane.offset + plane.ni * plane.nj);
    const expected = tracePlane({ ...plane, data: pixels, offset: 0 });
    for (let shift = 1; shift < 8; shift++) {
      const data = new Uint8Array(new ArrayBuffer(pixels.length + shift), shift);
      data.set(pixels);
      expect(tracePlane({ ...plane, data, offset: 0 })).toEqual(expected);
    }
  });
});

describe('tracing a label map', () => {
  const [, map] = MAPS[0];

  it('gives labels and slices in order, without empty ones, and only the labels asked for', () => {
    const all = traceLabelMap(map);
    expect(all.map(({ label }) => label)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const { planes, label, mode } of all) {
      expect(planes.map(({ k }) => k)).toEqual(Array.from({ length: 23 }, (_, n) => n + 1));
      expect(planes.every((plane) => plane.label === label && plane.mode === mode)).toBe(true);
    }
    expect(traceLabelMap(map, { labels: [5, 2, 99] })).toEqual([all[1], all[4]]);
  });

  it('puts each hole behind the outer ring that it is a hole of', () => {
    const [, hollow] = traceLabelMap(map);
    const middle = hollow.planes.find(({ k }) => k === 12);
    expect(middle?.holeOf).toEqual([-1, 0]);
    expect(countPoints(hollow).rings).toBeGreaterThan(hollow.planes.length);
  });

  it('is the same twice, and contours of one map stay when another is traced', () => {
    const once = traceLabelMap(map, { holes: 'separate' });
    const copy = structuredClone(once);
    traceLabelMap(MAPS[2][1], { holes: 'separate' });
    expect(once).toEqual(copy);
    expect(traceLabelMap(map, { holes: 'separate' })).toEqual(copy);
  });

  it('reports its progress and stops at a signal', () => {
    const steps: number[] = [];
    traceLabelMap(map, { progress: (done) => steps.push(done) });
    expect(steps).toEqual(Array.from({ length: 24 }, (_, n) => n + 1));
    expect(() => traceLabelMap(map, { signal: AbortSignal.abort(new Error('enough')) })).toThrow('enough');
  });

  it('refuses slices that the map does not have, before any voxel is written', () => {
    expect(() => planeOf(map, 24)).toThrow(expect.objectContaining({ kind: 'plane-mismatch' }));
    const back = emptyLike(map);
    const [contours] = traceLabelMap(map);
    const planes = [...contours.planes, { ...contours.planes[0], k: 24 }];
    expect(() => fillLabel(back, { label: 1, planes })).toThrow(expect.objectContaining({ kind: 'plane-mismatch' }));
    expect(back.data.every((value) => value === 0)).toBe(true);
  });
});
