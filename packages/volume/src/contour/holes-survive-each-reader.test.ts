/** The table at HoleMode, cell by cell: which hole mode is exact for which kind of reader, and where holes get lost. */
import { describe, expect, it } from 'vitest';
import { holesAs } from './hole-modes.js';
import { INSET } from './inset.js';
import { contourArea, type HoleMode, type LabelPlane, type PlaneContours, type Ring, ringArea } from './rings.js';
import { tracePlane } from './trace-plane.js';
import {
  AWKWARD,
  maskByReader,
  maskByRounding,
  maskOf,
  planeFrom,
  type Reader,
  randomPlane,
  seeded,
} from './twins.suite.js';

const MODES: readonly HoleMode[] = ['even-odd', 'keyhole', 'separate'];
const READERS: readonly Reader[] = ['even-odd', 'winding-together', 'union', 'winding'];

function isPromised(mode: HoleMode, reader: Reader, rings: readonly Ring[]): boolean {
  if (mode !== 'even-odd' || reader === 'even-odd' || reader === 'winding-together') return true;
  return rings.every((ring) => ringArea(ring) > 0);
}

/** What keeps a ring from being a simple polygon on voxel corners (a vertex or edge twice, a vertex that is no corner). */
function faultOf(ring: Ring): string | undefined {
  if (ring.length < 8) return 'fewer than four vertices';
  const seen = new Set<number>();
  for (let p = 0; p < ring.length; p += 2) {
    const [a, b] = [(p + ring.length - 2) % ring.length, (p + 2) % ring.length];
    if ((ring[a] === ring[p]) === (ring[p] === ring[b])) return `vertex ${p / 2} is no corner`;
    const [di, dj] = [Math.sign(ring[b] - ring[p]), Math.sign(ring[b + 1] - ring[p + 1])];
    // Every lattice point that the edge passes, its end left out.
    for (let [i, j] = [ring[p], ring[p + 1]]; i !== ring[b] || j !== ring[b + 1]; i += di, j += dj) {
      if (!Number.isInteger(i + 0.5) || !Number.isInteger(j + 0.5)) return `(${i}, ${j}) is no voxel corner`;
      if (seen.has(i * 1000 + j)) return `(${i}, ${j}) is passed twice`;
      seen.add(i * 1000 + j);
    }
  }
  return undefined;
}

/** Each outer ring with its holes must be one 4-connected region, each region once: a flood fill is the twin. */
function expectRegions({ rings, holeOf }: PlaneContours, mask: Uint8Array, ni: number, nj: number): void {
  const todo = mask.slice();
  for (let n = 0; n < rings.length; n++) {
    if (holeOf[n] >= 0) continue;
    const region = maskByReader([rings[n], ...rings.filter((_, m) => holeOf[m] === n)], ni, nj, 'even-odd');
    const queue = [region.indexOf(1)];
    const reached = new Uint8Array(mask.length);
    for (let p = queue.pop(); p !== undefined; p = queue.pop()) {
      if (todo[p] === 0) continue;
      todo[p] = 0;
      reached[p] = 1;
      if (p % ni > 0) queue.push(p - 1);
      if (p % ni < ni - 1) queue.push(p + 1);
      if (p >= ni) queue.push(p - ni);
      if (p + ni < mask.length) queue.push(p + ni);
    }
    expect(region).toEqual(reached);
  }
  expect(todo.includes(1)).toBe(false);
}

/** Inset contours: what their mode promises, and readers that round and paint borders are exact as well. */
function checkInset(plane: LabelPlane): void {
  const { ni, nj } = plane;
  for (const mode of MODES)
    for (const contours of tracePlane(plane, { holes: mode, inset: INSET })) {
      const { rings, label, holeOf } = contours;
      const mask = maskOf(plane, label);
      expect(rings.map((ring) => ringArea(ring) > 0)).toEqual(holeOf.map((outer) => outer < 0));
      for (const reader of READERS)
        if (isPromised(mode, reader, rings)) expect(maskByReader(rings, ni, nj, reader)).toEqual(mask);
      expect(maskByRounding(rings, ni, nj, false)).toEqual(mask);
      if (mode !== 'even-odd') expect(maskByRounding(rings, ni, nj, true)).toEqual(mask);
      // Edges still run along i and j, so rounding moves them as a whole.
      const slanted = (ring: Ring, p: number, q = (p + 2) % ring.length) =>
        ring[p] !== ring[q] && ring[p + 1] !== ring[q + 1];
      expect(rings.some((ring) => ring.some((_, p) => p % 2 === 0 && slanted(ring, p)))).toBe(false);
      // Nothing touches: no vertex twice in a slice, so rings that touched on voxel edges are simple and apart.
      const seen = new Set<string>();
      for (const ring of rings) for (let p = 0; p < ring.length; p += 2) seen.add(`${ring[p]},${ring[p + 1]}`);
      expect(seen.size).toBe(rings.reduce((sum, ring) => sum + ring.length / 2, 0));
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
      if (mode !== 'keyhole') expect(contours.rings.map(faultOf).filter(Boolean)).toEqual([]);
      if (mode === 'even-odd') expectRegions(contours, mask, plane.ni, plane.nj);
      const areas = contours.rings.map(ringArea);
      expect(areas.map((area) => area > 0)).toEqual(contours.holeOf.map((outer) => outer < 0));
      expect(areas.includes(0)).toBe(false);
      if (mode !== 'even-odd') expect(contours.holeOf.every((outer) => outer < 0)).toBe(true);
    }
  }
}

describe('holes survive in each kind of reader that their mode promises', () => {
  for (const [name, rows] of Object.entries(AWKWARD))
    it(`for ${name}`, () => {
      check(planeFrom(rows));
      checkInset(planeFrom(rows));
    });

  it('for 400 random planes of several labels', () => {
    const random = seeded(1);
    for (let n = 0; n < 400; n++) {
      const plane = randomPlane(random, 14);
      check(plane);
      checkInset(plane);
    }
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

  it('a reader that rounds to pixels and paints borders grows contours on voxel edges, not those drawn inside of them', () => {
    const square = planeFrom(['....', '.11.', '.11.', '....']);
    const [contours] = tracePlane(square);
    expect(maskByRounding(contours.rings, 4, 4, false).reduce((sum, value) => sum + value, 0)).toBe(9);
    const inset = (pixels: number) => tracePlane(square, { inset: pixels })[0].rings.map((r) => [...r]);
    expect(inset(0.25)).toEqual([[0.75, 0.75, 2.25, 0.75, 2.25, 2.25, 0.75, 2.25]]);
    for (const pixels of [-0.1, 0.5, Number.NaN])
      expect(() => inset(pixels)).toThrow(expect.objectContaining({ kind: 'too-far' }));
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
