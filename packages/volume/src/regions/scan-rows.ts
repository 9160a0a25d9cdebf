/** Cutting rows of voxels into runs of foreground: the first of the two passes of component labelling. */
import { repeatByte } from '../words.js';

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

/** Appends the runs of one row of bytes that begins at `base`, columns low … high − 1. `words` is the whole array's. */
export function scanBytes(
  data: Uint8Array,
  words: Int32Array | undefined,
  base: number,
  low: number,
  high: number,
  row: number,
  { value, equal }: Rule,
  list: RunList,
): void {
  const { start, end, row: rows } = list;
  const stop = base + high;
  let n = list.length;
  let open = false;
  let at = base + low;
  while (at < stop) {
    const voxel = data[at];
    const inside = (voxel === value) === equal;
    if (inside !== open) {
      if (inside) start[n] = at - base;
      else {
        end[n] = at - base;
        rows[n++] = row;
      }
      open = inside;
    }
    at++;
    if (words === undefined || (at & 3) !== 0) continue;
    // Step over words that repeat the voxel just seen: they cannot change the state.
    const same = repeatByte(voxel);
    let word = at >> 2;
    const lastWord = stop >> 2;
    while (
      word + 4 <= lastWord &&
      ((words[word] ^ same) | (words[word + 1] ^ same) | (words[word + 2] ^ same) | (words[word + 3] ^ same)) === 0
    )
      word += 4;
    while (word < lastWord && words[word] === same) word++;
    at = word << 2;
  }
  if (open) {
    end[n] = high;
    rows[n++] = row;
  }
  list.length = n;
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
