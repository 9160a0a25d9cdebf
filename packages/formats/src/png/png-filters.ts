/** The five filters of PNG (specification, 9): each row is a difference to its left and upper neighbours, byte by byte. */
import { corruptPng } from './png-chunks.js';

const NONE = 0;
const SUB = 1;
const UP = 2;
const AVERAGE = 3;
const PAETH = 4;

/** The neighbour (left, above, above left) that lies nearest to left + above - above left. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** Undoes the filters in place: `rows` rows of one filter byte and `rowBytes` bytes, from `at`; `step` = bytes per pixel. */
export function unfilter(raw: Uint8Array, at: number, rows: number, rowBytes: number, step: number): void {
  for (let row = 0; row < rows; row++) {
    const start = at + row * (rowBytes + 1) + 1;
    const up = row === 0 ? -1 : start - rowBytes - 1;
    const end = start + rowBytes;
    const filter = raw[start - 1];
    if (filter === SUB) for (let i = start + step; i < end; i++) raw[i] += raw[i - step];
    else if (filter === UP) {
      if (up >= 0) for (let i = 0; i < rowBytes; i++) raw[start + i] += raw[up + i];
    } else if (filter === AVERAGE)
      for (let i = 0; i < rowBytes; i++) {
        const left = i < step ? 0 : raw[start + i - step];
        raw[start + i] += (left + (up < 0 ? 0 : raw[up + i])) >> 1;
      }
    else if (filter === PAETH)
      for (let i = 0; i < rowBytes; i++) {
        const left = i < step ? 0 : raw[start + i - step];
        const above = up < 0 ? 0 : raw[up + i];
        raw[start + i] += paeth(left, above, up < 0 || i < step ? 0 : raw[up + i - step]);
      }
    else if (filter !== NONE) throw corruptPng(`filter ${filter} does not exist`, `row ${row}`);
  }
}

/** Filters each row of `pixels` with the filter whose output is smallest (the specification's own heuristic, 12.7). */
export function filterRows(pixels: Uint8Array, rows: number, rowBytes: number, step: number): Uint8Array {
  const out = new Uint8Array(rows * (rowBytes + 1));
  const zeros = new Uint8Array(rowBytes);
  const trial = new Uint8Array(rowBytes);
  for (let row = 0; row < rows; row++) {
    const line = pixels.subarray(row * rowBytes, (row + 1) * rowBytes);
    const above = row === 0 ? zeros : pixels.subarray((row - 1) * rowBytes, row * rowBytes);
    const at = row * (rowBytes + 1);
    let least = Number.POSITIVE_INFINITY;
    for (const filter of [SUB, UP, PAETH]) {
      const cost = tryFilter(filter, line, above, step, trial);
      if (cost >= least) continue;
      least = cost;
      out[at] = filter;
      out.set(trial, at + 1);
    }
  }
  return out;
}

/** Writes the filtered row into `trial`; the cost is the sum of the differences, taken as signed bytes. */
function tryFilter(filter: number, line: Uint8Array, above: Uint8Array, step: number, trial: Uint8Array): number {
  let cost = 0;
  for (let i = 0; i < line.length; i++) {
    const left = i < step ? 0 : line[i - step];
    const guess =
      filter === SUB ? left : filter === UP ? above[i] : paeth(left, above[i], i < step ? 0 : above[i - step]);
    const difference = (line[i] - guess) & 0xff;
    trial[i] = difference;
    cost += difference < 128 ? difference : 256 - difference;
  }
  return cost;
}
