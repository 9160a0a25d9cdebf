/**
 * Polygons to mask at pixel centres, by scanlines with sorted crossings.
 *
 * Half-open rule: an edge from (i0, j0) to (i1, j1) crosses row j when exactly one of j0 <= j and j1 <= j holds, so a vertex
 * on a row counts once and horizontal edges never. Pixel i of that row is inside when an odd number of crossings lie at
 * x <= i. A centre on a left or upper border is therefore in, on a right or lower border out; polygons that share an edge
 * (same two vertices) neither count a centre twice nor leave it out, since the crossing is always computed from the
 * edge's upper vertex.
 */
import { ContourError, checkPlane, type LabelPlane, type Ring } from './rings.js';

/**
 * Which pixels a set of rings means.
 * - `even-odd`: all rings together; the same as filling ring by ring and joining by XOR.
 * - `union`: each ring alone by even-odd, then joined: a reader that fills everything.
 * - `winding`: each ring alone by non-zero winding, then joined.
 */
export type FillRule = 'even-odd' | 'union' | 'winding';

export interface FillReport {
  /** Pixels whose value became the label. */
  readonly changed: number;
  /** Those among them that held another label than 0 before. */
  readonly overwritten: number;
  /** Rings of fewer than three points, which enclose nothing. */
  readonly ignoredRings: number;
}

/** Farther out than any scanner by far, near enough that a crossing keeps 1/4096 pixel of precision. */
const FARTHEST_COORDINATE = 2 ** 40;
/** Crossings held at a time (48 MB at most, unless one row has more): hostile rings cost time, not memory. */
const MOST_CROSSINGS = 2 ** 22;
const SMALLEST_POLYGON = 3;

let crossings = new Float64Array(1024);
let directions = new Int8Array(1024);
let rowStart = new Int32Array(513);
let rowCount = new Int32Array(512);

function reserve(points: number, rows: number): void {
  if (crossings.length < points) {
    crossings = new Float64Array(Math.max(points, 2 * crossings.length));
    directions = new Int8Array(crossings.length);
  }
  if (rowCount.length < rows) {
    rowCount = new Int32Array(rows);
    rowStart = new Int32Array(rows + 1);
  }
}

/** Sorts crossings from … to - 1 by place, directions along with them: insertion sort below 5, Shell's sort above. */
function sortCrossings(from: number, to: number): void {
  let gap = 1;
  while (gap < (to - from) / 4) gap = 3 * gap + 1;
  for (; gap > 0; gap = (gap / 3) | 0)
    for (let n = from + gap; n < to; n++) {
      const x = crossings[n];
      const direction = directions[n];
      let m = n;
      for (; m - gap >= from && crossings[m - gap] > x; m -= gap) {
        crossings[m] = crossings[m - gap];
        directions[m] = directions[m - gap];
      }
      crossings[m] = x;
      directions[m] = direction;
    }
}

class PlanePainter {
  changed = 0;
  overwritten = 0;

  constructor(
    readonly plane: LabelPlane,
    readonly label: number,
  ) {}

  /** Paints the pixels of row j whose centres lie at xa <= i < xb. */
  paint(j: number, xa: number, xb: number): void {
    const { data, offset, ni } = this.plane;
    const label = this.label;
    const row = offset + j * ni;
    const from = row + Math.min(ni, Math.max(0, Math.ceil(xa)));
    const to = row + Math.min(ni, Math.max(0, Math.ceil(xb)));
    let same = 0;
    let empty = 0;
    // Counting without branches: twice as fast here as skipping the pixels that have the label already.
    for (let p = from; p < to; p++) {
      const was = data[p];
      same += was === label ? 1 : 0;
      empty += was === 0 ? 1 : 0;
      data[p] = label;
    }
    if (to <= from) return;
    this.changed += to - from - same;
    // Erasing (label 0) finds the same pixels both empty and already right.
    this.overwritten += to - from - (label === 0 ? empty : same + empty);
  }

  /** Paints what rings from … to - 1 enclose together. */
  fill(rings: readonly Ring[], from: number, to: number, winding: boolean): void {
    const { nj } = this.plane;
    let low = nj;
    let high = 0;
    for (let n = from; n < to; n++) {
      const ring = rings[n];
      if (ring.length < 2 * SMALLEST_POLYGON) continue;
      for (let p = 1; p < ring.length; p += 2) {
        const row = Math.ceil(ring[p]);
        if (row < low) low = row;
        if (row > high) high = row;
      }
    }
    low = Math.max(0, low);
    high = Math.min(nj, high);
    if (low >= high) return;
    reserve(0, nj);
    rowCount.fill(0, low, high);
    visitCrossings(rings, from, to, low, high, false);
    while (low < high) {
      let end = low;
      let total = 0;
      do {
        rowStart[end] = total;
        total += rowCount[end++];
      } while (end < high && total + rowCount[end] <= MOST_CROSSINGS);
      rowStart[end] = total;
      reserve(total, nj);
      rowCount.fill(0, low, end);
      visitCrossings(rings, from, to, low, end, true);
      for (let j = low; j < end; j++) this.fillRow(j, rowStart[j], rowStart[j] + rowCount[j], winding);
      low = end;
    }
  }

  private fillRow(j: number, from: number, to: number, winding: boolean): void {
    sortCrossings(from, to);
    let turns = 0;
    for (let n = from; n + 1 < to; n++) {
      turns = winding ? turns + directions[n] : turns ^ 1;
      if (turns !== 0) this.paint(j, crossings[n], crossings[n + 1]);
    }
  }
}

/** Counts the crossings of rows low … high - 1 (`store` false), or stores them behind `rowStart`. */
function visitCrossings(
  rings: readonly Ring[],
  from: number,
  to: number,
  low: number,
  high: number,
  store: boolean,
): void {
  for (let n = from; n < to; n++) {
    const ring = rings[n];
    const length = ring.length;
    if (length < 2 * SMALLEST_POLYGON) continue;
    let xa = ring[length - 2];
    let ya = ring[length - 1];
    for (let p = 0; p < length; p += 2) {
      const xb = ring[p];
      const yb = ring[p + 1];
      const down = yb > ya;
      const yTop = down ? ya : yb;
      const yBottom = down ? yb : ya;
      const xTop = down ? xa : xb;
      const xBottom = down ? xb : xa;
      const first = Math.max(low, Math.ceil(yTop));
      const last = Math.min(high, Math.ceil(yBottom));
      for (let j = first; j < last; j++) {
        const m = rowCount[j]++;
        if (!store) continue;
        const at = rowStart[j] + m;
        crossings[at] = xTop === xBottom ? xTop : xTop + ((j - yTop) * (xBottom - xTop)) / (yBottom - yTop);
        directions[at] = down ? 1 : -1;
      }
      xa = xb;
      ya = yb;
    }
  }
}

/** Counts the rings that enclose nothing. Throws ContourError `not-finite`, `too-far`, `odd-length`. */
export function checkRings(rings: readonly Ring[]): number {
  let ignored = 0;
  for (let n = 0; n < rings.length; n++) {
    const ring = rings[n];
    const where = `ring ${n}`;
    if (ring.length % 2 !== 0) throw new ContourError('odd-length', 'A ring has a point without j', { where });
    for (let p = 0; p < ring.length; p++) {
      if (!Number.isFinite(ring[p]))
        throw new ContourError('not-finite', `Point ${p >> 1} of a ring is not a number`, { where });
      if (Math.abs(ring[p]) > FARTHEST_COORDINATE)
        throw new ContourError('too-far', `Point ${p >> 1} of a ring is farther out than 2^40 pixels`, { where });
    }
    if (ring.length < 2 * SMALLEST_POLYGON) ignored++;
  }
  return ignored;
}

/**
 * Writes `label` into the pixels of a plane whose centres lie inside of `rings` (index coordinates, any points, by the
 * half-open rule above); other pixels stay. Rings of fewer than three points are ignored and counted.
 * Throws ContourError `not-finite`, `too-far`, `odd-length`, `plane-mismatch`, `label-out-of-range`, before it writes.
 */
export function fillPlane(
  plane: LabelPlane,
  rings: readonly Ring[],
  label: number,
  rule: FillRule = 'even-odd',
): FillReport {
  checkPlane(plane);
  const largest = 2 ** (8 * plane.data.BYTES_PER_ELEMENT) - 1;
  if (!Number.isInteger(label) || label < 0 || label > largest)
    throw new ContourError('label-out-of-range', `Label ${label} does not fit 0 … ${largest}`);
  const ignoredRings = checkRings(rings);
  const painter = new PlanePainter(plane, label);
  if (rule === 'even-odd') painter.fill(rings, 0, rings.length, false);
  else for (let n = 0; n < rings.length; n++) painter.fill(rings, n, n + 1, rule === 'winding');
  return { changed: painter.changed, overwritten: painter.overwritten, ignoredRings };
}
