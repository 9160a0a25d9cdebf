/**
 * Trachea and main bronchi: a round column of air near the middle of the body that is followed downwards, plane by plane,
 * through its fork, until it opens into a lung (its area jumps) or ends.
 */
import { findRuns, type Runs } from '@isocenter/volume';
import type { CoarseGrid } from './coarse-grid.js';

const SEED_MM2 = [50, 700] as const;
/** No cut through an airway is larger; what is larger is lung. */
const LARGEST_MM2 = 900;
/** A cut may be this much larger than the one above it. */
const GROWTH = 1.7;
const GROWTH_MM2 = 50;
/** Lung tips also look round, but not for long. */
const LEAST_LENGTH_MM = 24;
const OFF_MIDDLE_MM = 45;
const LONGEST_SIDE_RATIO = 2.6;
/** The middle of a tube of air is almost free air even where its edges are blurred. */
const CORE_HU = -800;

interface Cut {
  readonly component: number;
  readonly area: number;
  readonly x: number;
  readonly box: readonly [x0: number, x1: number, y0: number, y1: number];
  readonly least: number;
  readonly runs: readonly number[];
}

/** Mask of airway cells. `air` marks cells of air inside the body; `middle` is the x (cells) of the body's middle. */
export function coarseAirway(grid: CoarseGrid, air: Uint8Array, middle: number): Uint8Array {
  const [nx, ny, nz] = grid.size;
  const runs = findRuns(air, grid.size, 4);
  const planes = cutsByPlane(runs, grid);
  const mm2 = grid.cell[0] * grid.cell[1];
  let best: Cut[] = [];
  let bestLength = 0;
  const taken = new Set<number>();
  for (let z = nz - 1; z >= 0 && bestLength < LEAST_LENGTH_MM; z--)
    for (const seed of planes[z]) {
      if (taken.has(seed.component) || !looksLikeTrachea(seed, grid, mm2, middle)) continue;
      const track = [seed];
      let front = [seed];
      let length = grid.cell[2];
      for (let below = z - 1; below >= 0 && front.length > 0; below--) {
        front = planes[below].filter((cut) => {
          const above = front.filter((upper) => touch(upper, cut, runs, ny));
          if (above.length === 0) return false;
          const area = above.reduce((sum, upper) => sum + upper.area, 0) * mm2;
          return cut.area * mm2 <= Math.min(LARGEST_MM2, area * GROWTH + GROWTH_MM2);
        });
        if (front.length > 0) length += grid.cell[2];
        track.push(...front);
      }
      for (const cut of track) taken.add(cut.component);
      if (length > bestLength) [best, bestLength] = [track, length];
    }
  const mask = new Uint8Array(air.length);
  if (bestLength < LEAST_LENGTH_MM) return mask;
  for (const cut of best)
    for (const r of cut.runs) mask.fill(1, runs.row[r] * nx + runs.start[r], runs.row[r] * nx + runs.end[r]);
  return mask;
}

function looksLikeTrachea(cut: Cut, grid: CoarseGrid, mm2: number, middle: number): boolean {
  const width = (cut.box[1] - cut.box[0] + 1) * grid.cell[0];
  const depth = (cut.box[3] - cut.box[2] + 1) * grid.cell[1];
  const area = cut.area * mm2;
  return (
    area >= SEED_MM2[0] &&
    area <= SEED_MM2[1] &&
    cut.least < CORE_HU &&
    Math.abs(cut.x - middle) * grid.cell[0] < OFF_MIDDLE_MM &&
    Math.max(width, depth) < LONGEST_SIDE_RATIO * Math.min(width, depth)
  );
}

function cutsByPlane(runs: Runs, { size, hu }: CoarseGrid): Cut[][] {
  const [nx, ny, nz] = size;
  const members: number[][] = Array.from({ length: runs.count + 1 }, () => []);
  for (let r = 0; r < runs.length; r++) members[runs.component[r]].push(r);
  const planes: Cut[][] = Array.from({ length: nz }, () => []);
  for (let component = 1; component <= runs.count; component++) {
    let [area, sumX, least] = [0, 0, Infinity];
    const box: [number, number, number, number] = [nx, -1, ny, -1];
    for (const r of members[component]) {
      const y = runs.row[r] % ny;
      const n = runs.end[r] - runs.start[r];
      area += n;
      sumX += (n * (runs.start[r] + runs.end[r] - 1)) / 2;
      box[0] = Math.min(box[0], runs.start[r]);
      box[1] = Math.max(box[1], runs.end[r] - 1);
      box[2] = Math.min(box[2], y);
      box[3] = Math.max(box[3], y);
      for (let x = runs.start[r]; x < runs.end[r]; x++) least = Math.min(least, hu[runs.row[r] * nx + x]);
    }
    const z = Math.floor(runs.row[members[component][0]] / ny);
    planes[z].push({ component, area, x: sumX / area, box, least, runs: members[component] });
  }
  return planes;
}

/** Do two cuts in neighbouring planes share a cell in x and y? */
function touch(a: Cut, b: Cut, runs: Runs, ny: number): boolean {
  if (a.box[0] > b.box[1] || b.box[0] > a.box[1] || a.box[2] > b.box[3] || b.box[2] > a.box[3]) return false;
  for (const p of a.runs)
    for (const q of b.runs)
      if (runs.row[p] % ny === runs.row[q] % ny && runs.start[p] < runs.end[q] && runs.start[q] < runs.end[p])
        return true;
  return false;
}
