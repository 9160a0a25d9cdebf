/** The table at HoleMode, cell by cell: which hole mode is exact for which kind of reader, and where holes get lost. */
import { describe, expect, it } from 'vitest';
import { holesAs } from './hole-modes.js';
import { contourArea, type HoleMode, type LabelPlane, type Ring, ringArea } from './rings.js';
import { tracePlane } from './trace-plane.js';
import { AWKWARD, maskByReader, maskOf, planeFrom, type Reader, randomPlane, seeded } from './twins.suite.js';

const MODES: readonly HoleMode[] = ['even-odd', 'keyhole', 'separate'];
const READERS: readonly Reader[] = ['even-odd', 'winding-together', 'union', 'winding'];

function isPromised(mode: HoleMode, reader: Reader, rings: readonly Ring[]): boolean {
  if (mode !== 'even-odd' || reader === 'even-odd' || reader === 'winding-together') return true;
  return rings.every((ring) => ringArea(ring) > 0);
}

/** Each ring a simple polygon on voxel corners: no vertex and no edge twice, every vertex a corner. */
function expectSimple(rings: readonly Ring[]): void {
  for (const ring of rings) {
    expect(ring.length).toBeGreaterThanOrEqual(8);
    const seen = new Set<string>();
    for (let p = 0; p < ring.length; p += 2) {
      const [a, b] = [(p + ring.length - 2) % ring.length, (p + 2) % ring.length];
      expect((ring[a] === ring[p]) !== (ring[p] === ring[b])).toBe(true);
      const horizontal = ring[p + 1] === ring[b + 1];
      const [from, to] = horizontal ? [ring[p], ring[b]] : [ring[p + 1], ring[b + 1]];
      expect(Number.isInteger(from + 0.5) && from !== to).toBe(true);
      // Every lattice point that the edge passes, its end left out.
      for (let at = from; at !== to; at += to > from ? 1 : -1) {
        const point = horizontal ? `${at},${ring[p + 1]}` : `${ring[p]},${at}`;
        expect(seen.has(point)).toBe(false);
        seen.add(point);
      }
    }
  }
}

function check(plane: LabelPlane): void {
  const labels = new Set(plane.data.subarray(plane.offset, plane.offset + plane.ni * plane.nj));
  labels.delete(0);
  for (const mode of MODES) {
    const traced = tracePlane(plane, { holes: mode });
    expect(traced.map(({ label }) => label)).toEqual([...labels].sort((a, b) => a - b));
    for (const contours of traced) {
      const mask = maskOf(plane, contours.label);
      expect(contourArea(contours)).toBe(mask.reduce((sum, value) => sum + value, 0));
      for (const reader of READERS)
        if (isPromised(mode, reader, contours.rings))
          expect(maskByReader(contours.rings, plane.ni, plane.nj, reader)).toEqual(mask);
      if (mode !== 'keyhole') expectSimple(contours.rings);
      if (mode !== 'even-odd') for (const ring of contours.rings) expect(ringArea(ring)).toBeGreaterThan(0);
    }
  }
}

describe('holes survive in each kind of reader that their mode promises', () => {
  for (const [name, rows] of Object.entries(AWKWARD)) it(`for ${name}`, () => check(planeFrom(rows)));

  it('for 1500 random planes of several labels', () => {
    const random = seeded(1);
    for (let n = 0; n < 1500; n++) check(randomPlane(random, 14));
  });

  it('for every mask of 4 × 4 pixels', () => {
    const data = new Uint8Array(16);
    for (let bits = 0; bits < 2 ** 16; bits++) {
      for (let p = 0; p < 16; p++) data[p] = (bits >> p) & 1;
      for (const mode of MODES)
        for (const { rings } of tracePlane({ data, offset: 0, ni: 4, nj: 4 }, { holes: mode }))
          for (let j = 0; j < 4; j++)
            for (let i = 0; i < 4; i++) {
              let winding = 0;
              for (const ring of rings) winding += windingOf(ring, i, j);
              if (winding !== data[i + 4 * j]) throw new Error(`mask ${bits}, mode ${mode}, pixel ${i}, ${j}`);
            }
    }
  });
});

/** Winding number of a ring along voxel edges: its vertical edges to the left of a pixel centre. */
function windingOf(ring: Ring, i: number, j: number): number {
  let winding = 0;
  for (let p = 0, q = ring.length - 2; p < ring.length; q = p, p += 2)
    if (ring[p] < i && ring[q + 1] < j !== ring[p + 1] < j) winding += ring[p + 1] < ring[q + 1] ? 1 : -1;
  return winding;
}

describe('what a mode does not promise', () => {
  const ring = planeFrom(['111', '1.1', '111']);

  it('a reader that fills each ring loses the holes of even-odd rings', () => {
    const [{ rings }] = tracePlane(ring);
    expect(maskByReader(rings, 3, 3, 'union')[4]).toBe(1);
    expect(maskByReader(rings, 3, 3, 'winding')[4]).toBe(1);
  });

  it('a keyhole polygon is one ring that passes both ends of its channel twice', () => {
    const [{ rings, holeOf }] = tracePlane(ring, { holes: 'keyhole' });
    expect(holeOf).toEqual([-1]);
    expect(rings.map((r) => [...r])).toEqual([
      [
        -0.5, -0.5, 2.5, -0.5, 2.5, 2.5, -0.5, 2.5, -0.5, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5, 1.5, 1.5, 0.5, 0.5, 0.5, -0.5,
        0.5,
      ],
    ]);
  });

  it('separate pieces of a ring are two simple polygons, cut along the top of the hole', () => {
    const [{ rings }] = tracePlane(ring, { holes: 'separate' });
    expect(rings.map((r) => [...r])).toEqual([
      [-0.5, -0.5, 2.5, -0.5, 2.5, 0.5, -0.5, 0.5],
      [2.5, 2.5, -0.5, 2.5, -0.5, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5, 1.5, 1.5, 0.5, 2.5, 0.5],
    ]);
  });

  it('refuses to turn keyhole polygons back into rings', () => {
    const [keyhole] = tracePlane(ring, { holes: 'keyhole' });
    expect(() => holesAs('even-odd', keyhole)).toThrow(expect.objectContaining({ kind: 'not-voxel-edges' }));
  });

  it('refuses to cut rings that are not along voxel edges, and holes outside of their ring', () => {
    const [contours] = tracePlane(ring);
    const diagonal = [contours.rings[0], Float64Array.of(0.5, 0.5, 1.5, 0.5, 1.5, 1.5)];
    const outside = [contours.rings[0], Float64Array.of(5.5, 0.5, 5.5, 1.5, 6.5, 1.5, 6.5, 0.5)];
    for (const rings of [diagonal, outside])
      expect(() => holesAs('keyhole', { ...contours, rings })).toThrow(
        expect.objectContaining({ kind: 'not-voxel-edges' }),
      );
    // A refusal leaves no traces for the next call.
    check(ring);
  });
});
