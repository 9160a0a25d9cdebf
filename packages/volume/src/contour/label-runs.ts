/**
 * A plane of labels as runs of equal pixels along i, sorted by label, then row, then column: the only pass over pixels
 * that tracing makes, for all labels together. Buffers are kept between calls and only grow.
 */
import { checkPlane, type LabelPlane } from './rings.js';

export interface LabelRuns {
  /** Run r covers pixels ends[2r] … ends[2r + 1] - 1 of row rows[r]. */
  ends: Int32Array;
  rows: Int32Array;
  /** Labels present, ascending; runs of labels[n] are starts[n] … starts[n + 1] - 1. */
  labels: number[];
  starts: number[];
}

const FIRST_CAPACITY = 4096;
const LABEL_VALUES = 65536;

let found = 0;
let foundEnds = new Int32Array(2 * FIRST_CAPACITY);
let foundRows = new Int32Array(FIRST_CAPACITY);
let foundLabels = new Uint16Array(FIRST_CAPACITY);
const countOf = new Int32Array(LABEL_VALUES);
let present: number[] = [];
const sorted: LabelRuns = { ends: new Int32Array(0), rows: new Int32Array(0), labels: [], starts: [] };

function grow(): void {
  const capacity = 2 * foundRows.length;
  const ends = new Int32Array(2 * capacity);
  const rows = new Int32Array(capacity);
  const labels = new Uint16Array(capacity);
  ends.set(foundEnds);
  rows.set(foundRows);
  labels.set(foundLabels);
  foundEnds = ends;
  foundRows = rows;
  foundLabels = labels;
}

/**
 * First position at or after p, below `end`, whose value is not `value`. Looks at a whole word of four bytes at a time:
 * word w holds the pixels from (w << bits) - shift on.
 */
function skipEqual(
  data: LabelPlane['data'],
  words: Int32Array<ArrayBufferLike>,
  bits: number,
  shift: number,
  p: number,
  end: number,
  value: number,
): number {
  const low = (1 << bits) - 1;
  for (; p < end && ((p + shift) & low) !== 0; p++) if (data[p] !== value) return p;
  const pattern = Math.imul(value, bits === 2 ? 0x01010101 : 0x00010001);
  const lastWord = (end + shift) >>> bits;
  let w = (p + shift) >>> bits;
  if (w < lastWord) {
    while (w < lastWord && words[w] === pattern) w++;
    p = (w << bits) - shift;
  }
  while (p < end && data[p] === value) p++;
  return p;
}

function findRuns({ data, offset, ni, nj }: LabelPlane, wanted: ReadonlySet<number> | undefined): void {
  const size = data.BYTES_PER_ELEMENT;
  const skew = data.byteOffset & 3;
  const words = new Int32Array(data.buffer, data.byteOffset - skew, (skew + data.byteLength) >> 2);
  const bits = size === 1 ? 2 : 1;
  const shift = skew / size;
  found = 0;
  present = [];
  for (let row = 0; row < nj; row++) {
    const from = offset + row * ni;
    const end = from + ni;
    let p = skipEqual(data, words, bits, shift, from, end, 0);
    while (p < end) {
      const label = data[p];
      const stop = skipEqual(data, words, bits, shift, p + 1, end, label);
      if (wanted === undefined || wanted.has(label)) {
        if (found === foundRows.length) grow();
        foundEnds[2 * found] = p - from;
        foundEnds[2 * found + 1] = stop - from;
        foundRows[found] = row;
        foundLabels[found++] = label;
        if (countOf[label]++ === 0) present.push(label);
      }
      p = skipEqual(data, words, bits, shift, stop, end, 0);
    }
  }
}

/**
 * Runs of every label but 0 (or of the `wanted` ones) in a plane. The answer is valid until the next call: its arrays are
 * used again. Throws ContourError `plane-mismatch`.
 */
export function runsOf(plane: LabelPlane, wanted?: ReadonlySet<number>): Readonly<LabelRuns> {
  checkPlane(plane);
  findRuns(plane, wanted);
  if (sorted.rows.length < found) {
    sorted.ends = new Int32Array(2 * foundRows.length);
    sorted.rows = new Int32Array(foundRows.length);
  }
  const labels = present;
  labels.sort((a, b) => a - b);
  const starts = [0];
  for (const label of labels) {
    const start = starts[starts.length - 1];
    starts.push(start + countOf[label]);
    countOf[label] = start;
  }
  const { ends, rows } = sorted;
  for (let r = 0; r < found; r++) {
    const to = countOf[foundLabels[r]]++;
    ends[2 * to] = foundEnds[2 * r];
    ends[2 * to + 1] = foundEnds[2 * r + 1];
    rows[to] = foundRows[r];
  }
  for (const label of labels) countOf[label] = 0;
  sorted.labels = labels;
  sorted.starts = starts;
  return sorted;
}
