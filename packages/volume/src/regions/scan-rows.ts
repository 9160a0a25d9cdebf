/** Cutting rows of voxels into runs of foreground: the first of the two passes of component labelling. */
import { quadBits, repeatByte } from '../words.js';

const FIRST_CAPACITY = 1 << 14;

/** Growing list of runs, so that memory follows what is in the mask. Run r covers columns start … end − 1 of its row. */
export class RunList {
  length = 0;
  start = new Int32Array(FIRST_CAPACITY);
  end = new Int32Array(FIRST_CAPACITY);
  row = new Int32Array(FIRST_CAPACITY);

  /** Makes room for one more row of `columns` voxels, which holds at most half as many runs, rounded up. */
  reserve(columns: number): void {
    const needed = this.length + (columns >> 1) + 1;
    if (needed <= this.start.length) return;
    const capacity = Math.max(needed, 2 * this.start.length);
    for (const name of ['start', 'end', 'row'] as const) {
      const grown = new Int32Array(capacity);
      grown.set(this[name]);
      this[name] = grown;
    }
  }
}

/** Foreground is where (voxel === value) === equal. */
export interface Rule {
  readonly value: number;
  readonly equal: boolean;
}

/**
 * Appends the runs of one row of bytes that begins at `base`, columns low … high − 1. `words` is the whole array's. Where
 * it can, it turns 32 voxels into 32 bits and reads off the changes: noise then costs no mispredicted branches.
 */
export function scanBytes(
  data: Uint8Array,
  words: Int32Array | undefined,
  base: number,
  low: number,
  high: number,
  row: number,
  rule: Rule,
  list: RunList,
): void {
  const { start, end, row: rows } = list;
  const { value, equal } = rule;
  const first = list.length;
  // Changes alternate between starts and ends: change number n is the start or end of run n >> 1.
  let n = 2 * first;
  let inside = 0;
  let at = base + low;
  const stop = base + high;
  const wordsFrom = words === undefined ? stop : Math.min((at + 3) & ~3, stop);
  const wordsTo = words === undefined ? stop : wordsFrom + ((stop - wordsFrom) & ~31);
  const pattern = repeatByte(value);
  const flip = equal ? -1 : 0;
  for (;;) {
    if (at === wordsFrom && words !== undefined) {
      for (; at < wordsTo; at += 32) {
        const bits = differingBits(words, at >> 2, pattern) ^ flip;
        let changes = bits ^ ((bits << 1) | inside);
        inside = bits >>> 31;
        while (changes !== 0) {
          const column = at - base + 31 - Math.clz32(changes & -changes);
          if ((n & 1) === 0) start[n >> 1] = column;
          else end[n >> 1] = column;
          n++;
          changes &= changes - 1;
        }
      }
    }
    if (at >= stop) break;
    const voxel = (data[at] === value) === equal ? 1 : 0;
    if (voxel !== inside) {
      if (voxel === 1) start[n >> 1] = at - base;
      else end[n >> 1] = at - base;
      n++;
      inside = voxel;
    }
    at++;
  }
  if (inside === 1) end[n++ >> 1] = high;
  list.length = n >> 1;
  rows.fill(row, first, list.length);
}

/** Bit b is set where byte b of the 32 from `word` on differs from the pattern's. */
function differingBits(words: Int32Array, word: number, pattern: number): number {
  const a = words[word] ^ pattern;
  const b = words[word + 1] ^ pattern;
  const c = words[word + 2] ^ pattern;
  const d = words[word + 3] ^ pattern;
  const e = words[word + 4] ^ pattern;
  const f = words[word + 5] ^ pattern;
  const g = words[word + 6] ^ pattern;
  const h = words[word + 7] ^ pattern;
  if ((a | b | c | d | e | f | g | h) === 0) return 0;
  return (
    quadBits(a) |
    (quadBits(b) << 4) |
    (quadBits(c) << 8) |
    (quadBits(d) << 12) |
    (quadBits(e) << 16) |
    (quadBits(f) << 20) |
    (quadBits(g) << 24) |
    (quadBits(h) << 28)
  );
}

/** The same for 16-bit voxels. */
export function scanShorts(
  data: Uint16Array,
  base: number,
  low: number,
  high: number,
  row: number,
  { value, equal }: Rule,
  list: RunList,
): void {
  const { start, end, row: rows } = list;
  let n = list.length;
  let open = false;
  for (let i = low; i < high; i++) {
    const inside = (data[base + i] === value) === equal;
    if (inside === open) continue;
    if (inside) start[n] = i;
    else {
      end[n] = i;
      rows[n++] = row;
    }
    open = inside;
  }
  if (open) {
    end[n] = high;
    rows[n++] = row;
  }
  list.length = n;
}
