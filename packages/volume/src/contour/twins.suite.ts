/**
 * Slow and obvious twins of tracing and filling, and the masks that the tests of this folder share. Nothing here is used
 * outside of tests.
 */
import type { FillRule } from './fill-plane.js';
import type { LabelPlane, Ring } from './rings.js';

/** Seeded generator (mulberry32's step): equal seeds, equal tests. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Winding number and count of crossings of a ring at x <= i, by the half-open rule, edge by edge. */
export function crossingsOf(ring: Ring, i: number, j: number): { readonly winding: number; readonly count: number } {
  let winding = 0;
  let count = 0;
  const n = ring.length / 2;
  for (let a = 0; n > 2 && a < n; a++) {
    const b = (a + 1) % n;
    const [xa, ya, xb, yb] = [ring[2 * a], ring[2 * a + 1], ring[2 * b], ring[2 * b + 1]];
    if (ya <= j === yb <= j) continue;
    const [x0, y0, x1, y1] = ya < yb ? [xa, ya, xb, yb] : [xb, yb, xa, ya];
    if (x0 + ((j - y0) * (x1 - x0)) / (y1 - y0) > i) continue;
    winding += yb > ya ? 1 : -1;
    count++;
  }
  return { winding, count };
}

/** A reader of contours, one pixel centre at a time. `winding-together` is one that fillPlane does not offer. */
export type Reader = FillRule | 'winding-together';

export function isInside(rings: readonly Ring[], i: number, j: number, reader: Reader): boolean {
  const each = rings.map((ring) => crossingsOf(ring, i, j));
  switch (reader) {
    case 'even-odd':
      return each.reduce((sum, { count }) => sum + count, 0) % 2 === 1;
    case 'winding-together':
      return each.reduce((sum, { winding }) => sum + winding, 0) !== 0;
    case 'union':
      return each.some(({ count }) => count % 2 === 1);
    case 'winding':
      return each.some(({ winding }) => winding !== 0);
  }
}

export function maskByReader(rings: readonly Ring[], ni: number, nj: number, reader: Reader): Uint8Array {
  const mask = new Uint8Array(ni * nj);
  for (let j = 0; j < nj; j++) for (let i = 0; i < ni; i++) mask[i + ni * j] = isInside(rings, i, j, reader) ? 1 : 0;
  return mask;
}

export function planeFrom(rows: readonly string[]): LabelPlane {
  const data = new Uint8Array(rows.length * rows[0].length);
  for (const [j, row] of rows.entries())
    for (const [i, letter] of [...row].entries()) data[i + row.length * j] = letter === '.' ? 0 : Number(letter);
  return { data, offset: 0, ni: rows[0].length, nj: rows.length };
}

export function maskOf({ data, offset, ni, nj }: LabelPlane, label: number): Uint8Array {
  return Uint8Array.from(data.subarray(offset, offset + ni * nj), (value) => (value === label ? 1 : 0));
}

/** Masks that go wrong first: diagonal touches of each kind, borders, holes in islands in holes, holes that touch. */
export const AWKWARD: Readonly<Record<string, readonly string[]>> = {
  'nothing at all': ['....', '....'],
  'one pixel': ['1'],
  'one pixel inside': ['...', '.1.', '...'],
  'the full plane': ['1111', '1111', '1111'],
  'one row': ['11.11.1'],
  'one column': ['1', '1', '.', '1'],
  'two pixels that touch diagonally': ['1.', '.1'],
  'two pixels that touch on the other diagonal': ['.1', '1.'],
  'a checkerboard': ['1.1.1', '.1.1.', '1.1.1', '.1.1.', '1.1.1'],
  'its complement': ['.1.1.', '1.1.1', '.1.1.', '1.1.1', '.1.1.'],
  'a ring': ['111', '1.1', '111'],
  'a ring that is open only at a corner': ['111', '1.1', '11.'],
  'open at the upper left corner': ['.11', '1.1', '111'],
  'open at the upper right corner': ['11.', '1.1', '111'],
  'open at the lower left corner': ['111', '1.1', '.11'],
  'open at two corners': ['.111', '1..1', '111.'],
  'two holes that touch diagonally': ['11111', '1.111', '11.11', '11111'],
  'two holes that touch on the other diagonal': ['11111', '11.11', '1.111', '11111'],
  'holes like a checkerboard': ['1111111', '1.1.1.1', '11.1.11', '1.1.1.1', '1111111'],
  'holes beside each other': ['1111111', '1.1.1.1', '1.1.1.1', '1111111'],
  'holes below each other': ['11111', '1...1', '11111', '1...1', '1.1.1', '11111'],
  'a hole that reaches over another': ['1111111', '1.....1', '1.111.1', '1.1.1.1', '1.111.1', '1111111'],
  'an island in a hole in an island in a hole': [
    '111111111',
    '1.......1',
    '1.11111.1',
    '1.1...1.1',
    '1.1.1.1.1',
    '1.1...1.1',
    '1.11111.1',
    '1.......1',
    '111111111',
  ],
  'an island that touches the shore diagonally': ['11111', '1...1', '1.1.1', '11..1', '11111'],
  'a comb': ['1.1.1', '1.1.1', '11111'],
  'a spiral': ['111111', '.....1', '1111.1', '1..1.1', '1.11.1', '1....1', '111111'],
  'labels side by side': ['112', '132', '333'],
  'a label inside another': ['11111', '12221', '12321', '12221', '11111'],
  'labels in a checkerboard': ['1212', '2121', '1212', '2121'],
};

/** Random planes of several labels, from noise to blobs, at an odd offset, 8 or 16 bit. */
export function randomPlane(random: () => number, largest: number): LabelPlane {
  const ni = 1 + Math.floor(random() * largest);
  const nj = 1 + Math.floor(random() * largest);
  const offset = Math.floor(random() * 5);
  const wide = random() < 0.3;
  const data = wide ? new Uint16Array(offset + ni * nj + 3) : new Uint8Array(offset + ni * nj + 3);
  const labels = wide ? [1, 300, 65535] : [1, 7, 255];
  const density = random();
  const count = 1 + Math.floor(random() * 3);
  const pick = () => (random() < density ? labels[Math.floor(random() * count)] : 0);
  const block = random() < 0.5 ? 1 : 1 + Math.floor(random() * 4);
  for (let j = 0; j < nj; j += block)
    for (let i = 0; i < ni; i += block) {
      const value = pick();
      for (let y = j; y < Math.min(nj, j + block); y++)
        for (let x = i; x < Math.min(ni, i + block); x++) data[offset + x + ni * y] = value;
    }
  const holes = Math.floor(random() * 6);
  for (let n = 0; n < holes; n++) {
    const value = pick();
    const [x, y, w, h] = [random() * ni, random() * nj, random() * 6, random() * 6].map(Math.floor);
    for (let j = y; j < Math.min(nj, y + h); j++)
      for (let i = x; i < Math.min(ni, x + w); i++) data[offset + i + ni * j] = value;
  }
  return { data, offset, ni, nj };
}

/**
 * A reader that rounds vertices to pixels (halves to even), fills all rings even-odd and paints the borders, as OpenCV's
 * fillPoly does for polygons whose edges run along i and j. `each`: ring by ring, joined.
 */
export function maskByRounding(rings: readonly Ring[], ni: number, nj: number, each: boolean): Uint8Array {
  const toEven = (value: number) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));
  const rounded = rings.map((ring) => ring.map(toEven));
  const mask = maskByReader(rounded, ni, nj, each ? 'union' : 'even-odd');
  for (const ring of rounded)
    for (let p = 0, q = ring.length - 2; p < ring.length; q = p, p += 2)
      for (let j = Math.min(ring[q + 1], ring[p + 1]); j <= Math.max(ring[q + 1], ring[p + 1]); j++)
        for (let i = Math.min(ring[q], ring[p]); i <= Math.max(ring[q], ring[p]); i++)
          if (i >= 0 && i < ni && j >= 0 && j < nj) mask[i + ni * j] = 1;
  return mask;
}
