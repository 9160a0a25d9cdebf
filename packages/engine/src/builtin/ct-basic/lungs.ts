/**
 * The lungs on the coarse grid: air inside the body that is not airway and not gas of stomach or bowel, told apart into
 * left and right, with vessels and small solid parts inside taken in, as clinicians contour lungs.
 */
import { closeMask, dilateMask, erodeMask, findRuns, paintRuns } from '@isocenter/volume';
import { coarseAirway } from './airway.js';
import type { CoarseBody } from './body.js';
import { type CoarseGrid, cellVolumeMl } from './coarse-grid.js';
import { fillPlaneHoles } from './fill-plane-holes.js';
import { LEFT, RIGHT, separateSides } from './sides.js';

/** Cells below this are air or aerated lung, edges and dense parts come in later. */
const AERATED_HU = -400;
/** Free air is -1000; the core of a lung stays above this on average even in emphysema, that of bowel gas does not. */
const FREE_AIR_HU = -940;
/** A lung has a core; froth in stool has none. */
const CORE_SHARE = 0.1;
const LEAST_LUNG_ML = 30;
/** Cut-off parts in the lower half must be at least this share of the largest part: stool with gas in it looks like lung. */
const LEAST_SHARE = 0.02;
/** Above the middle of the lungs there is no bowel: cut-off tips (scars, tumours) count from this size. */
const LEAST_UPPER_ML = 4;
/** Vessels and their forks are thinner than twice this, so closing by it takes them in. */
const CLOSE_MM = 6;
/** Holes in a slice up to this size (vessels near the hilum, nodules) belong to the lung; larger ones are heart or tumour. */
const HOLE_MM2 = 600;

export interface CoarseLungs {
  /** LEFT, RIGHT or 0 per cell. */
  readonly labels: Uint8Array;
  /** Cells that were air: where `labels` says lung but this is 0, the cell was taken in whole. */
  readonly aerated: Uint8Array;
  readonly airway: Uint8Array;
}

export function coarseLungs(grid: CoarseGrid, body: CoarseBody): CoarseLungs {
  const { size, hu, cell } = grid;
  const air = new Uint8Array(hu.length);
  for (let c = 0; c < hu.length; c++) air[c] = body.mask[c] && hu[c] < AERATED_HU ? 1 : 0;
  const middle = bodyMiddle(grid, body.mask);
  const airway = coarseAirway(grid, air, middle);
  // The wall is thinner than a cell: one ring of half-air cells around the tube goes with it.
  const around = dilateMask(airway, size, 6, 1);
  for (let c = 0; c < air.length; c++) if (around[c]) air[c] = 0;
  const aerated = lungParts(air, grid);
  const labels = separateSides(grid, aerated, middle);
  const steps = Math.max(1, Math.round(CLOSE_MM / Math.max(cell[0], cell[1])));
  const holeCells = HOLE_MM2 / (cell[0] * cell[1]);
  for (const side of [LEFT, RIGHT]) {
    const one = labels.map((label) => (label === side ? 1 : 0));
    closeInPlanes(one, grid, steps);
    fillPlaneHoles(one, size, 1, ({ voxels }) => voxels <= holeCells);
    for (let c = 0; c < labels.length; c++)
      if (one[c] && labels[c] === 0 && body.mask[c] && !around[c]) labels[c] = side;
  }
  return { labels, aerated, airway };
}

/** Alternates the two plane neighbourhoods, so that the reach is about round. */
function closeInPlanes(mask: Uint8Array, { size }: CoarseGrid, steps: number): void {
  closeMask(mask, size, 4, steps, mask);
}

/** x (in cells) of the middle of the body. */
function bodyMiddle({ size }: CoarseGrid, mask: Uint8Array): number {
  let [sum, count] = [0, 0];
  for (let c = 0; c < mask.length; c++)
    if (mask[c]) {
      sum += c % size[0];
      count++;
    }
  return count > 0 ? sum / count : size[0] / 2;
}

function lungParts(air: Uint8Array, grid: CoarseGrid): Uint8Array {
  const { size, hu } = grid;
  const runs = findRuns(air, size, 6);
  const core = erodeMask(air, size, 6, 1);
  const coreCells = new Float64Array(runs.count + 1);
  const coreSum = new Float64Array(runs.count + 1);
  const height = new Float64Array(runs.count + 1);
  for (let r = 0; r < runs.length; r++) {
    const c = runs.component[r];
    const base = runs.row[r] * size[0];
    height[c] += Math.floor(runs.row[r] / size[1]) * (runs.end[r] - runs.start[r]);
    for (let at = base + runs.start[r]; at < base + runs.end[r]; at++) {
      if (core[at] === 0) continue;
      coreCells[c]++;
      coreSum[c] += hu[at];
    }
  }
  const isLung = (c: number) => coreCells[c] >= CORE_SHARE * runs.sizes[c] && coreSum[c] > FREE_AIR_HU * coreCells[c];
  let largest = 0;
  for (let c = 1; c <= runs.count; c++) if (isLung(c) && runs.sizes[c] > (runs.sizes[largest] ?? 0)) largest = c;
  const ml = cellVolumeMl(grid);
  const parts = new Uint8Array(hu.length);
  if (largest === 0 || runs.sizes[largest] * ml < LEAST_LUNG_ML) return parts;
  const middle = height[largest] / runs.sizes[largest];
  const lower = Math.max(LEAST_LUNG_ML / ml, LEAST_SHARE * runs.sizes[largest]);
  const least = (c: number) => (height[c] / runs.sizes[c] > middle ? LEAST_UPPER_ML / ml : lower);
  paintRuns(runs, size[0], parts, 1, (c) => isLung(c) && runs.sizes[c] >= least(c));
  return parts;
}
