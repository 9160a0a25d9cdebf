/**
 * Which part of the lungs is left and which is right. Where they touch, they are worn away until they come apart and
 * grown back together, each from its own core, so that the border runs through the narrowest place.
 */
import { erodeMask, findRuns, largestComponents, paintRuns, type Runs } from '@isocenter/volume';
import { type CoarseGrid, cellVolumeMl } from './coarse-grid.js';

export const LEFT = 1;
export const RIGHT = 2;

/** The smaller lung has at least this share of the larger one (a lung after surgery or with collapse is small). */
const OTHER_SHARE = 0.12;
/** Cores of two lungs lie at least this far apart. */
const APART_MM = 50;
const MOST_EROSIONS = 12;

/** LEFT or RIGHT for each cell of `lungs`, 0 elsewhere. `middle`: x of the middle of the body in cells. */
export function separateSides(grid: CoarseGrid, lungs: Uint8Array, middle: number): Uint8Array {
  const labels = new Uint8Array(lungs.length);
  let core: Uint8Array = lungs;
  for (let step = 0; step <= MOST_EROSIONS; step++) {
    const runs = findRuns(core, grid.size, 6);
    if (runs.count === 0) break;
    const pair = twoLungs(runs, grid);
    if (pair) {
      paintRuns(runs, grid.size[0], labels, LEFT, (c) => c === pair.left);
      paintRuns(runs, grid.size[0], labels, RIGHT, (c) => c === pair.right);
      growInto(labels, lungs, grid);
      break;
    }
    core = erodeMask(core, grid.size, 6, 1);
  }
  assignRest(labels, lungs, grid, middle);
  return labels;
}

function centreX(runs: Runs, component: number): number {
  let sum = 0;
  for (let r = 0; r < runs.length; r++)
    if (runs.component[r] === component) sum += ((runs.end[r] - runs.start[r]) * (runs.start[r] + runs.end[r] - 1)) / 2;
  return sum / runs.sizes[component];
}

/** The two largest parts, when they are a pair of lungs by size and place. */
function twoLungs(runs: Runs, grid: CoarseGrid): { left: number; right: number } | undefined {
  if (runs.count < 2) return undefined;
  const [first, second] = largestComponents(runs, grid.size, 2);
  if (runs.sizes[second] < OTHER_SHARE * runs.sizes[first]) return undefined;
  const a = centreX(runs, first);
  const b = centreX(runs, second);
  if (Math.abs(a - b) * grid.cell[0] < APART_MM) return undefined;
  return a > b ? { left: first, right: second } : { left: second, right: first };
}

/** Both labels spread through `lungs` at the same speed, cell by cell. */
function growInto(labels: Uint8Array, lungs: Uint8Array, { size }: CoarseGrid): void {
  const [nx, ny, nz] = size;
  const plane = nx * ny;
  let front: number[] = [];
  for (let c = 0; c < labels.length; c++) if (labels[c]) front.push(c);
  while (front.length > 0) {
    const next: number[] = [];
    const visit = (from: number, to: number) => {
      if (lungs[to] && labels[to] === 0) {
        labels[to] = labels[from];
        next.push(to);
      }
    };
    for (const c of front) {
      const x = c % nx;
      const y = Math.floor(c / nx) % ny;
      const z = Math.floor(c / plane);
      if (x > 0) visit(c, c - 1);
      if (x < nx - 1) visit(c, c + 1);
      if (y > 0) visit(c, c - nx);
      if (y < ny - 1) visit(c, c + nx);
      if (z > 0) visit(c, c - plane);
      if (z < nz - 1) visit(c, c + plane);
    }
    front = next;
  }
}

/** Parts that neither lung reached: a part on one side goes there; one across the middle is cut at its thinnest plane. */
function assignRest(labels: Uint8Array, lungs: Uint8Array, grid: CoarseGrid, middle: number): void {
  const rest = lungs.map((value, c) => (value && labels[c] === 0 ? 1 : 0));
  const runs = findRuns(rest, grid.size, 6);
  const [nx] = grid.size;
  for (let component = 1; component <= runs.count; component++) {
    const perX = new Float64Array(nx);
    for (let r = 0; r < runs.length; r++)
      if (runs.component[r] === component) for (let x = runs.start[r]; x < runs.end[r]; x++) perX[x]++;
    const total = runs.sizes[component];
    const onLeft = perX.reduce((sum, n, x) => (x > middle ? sum + n : sum), 0);
    const smaller = Math.min(onLeft, total - onLeft);
    const across = smaller >= OTHER_SHARE * total && total * cellVolumeMl(grid) > 100;
    const border = across ? thinnestPlane(perX, middle, APART_MM / grid.cell[0] / 2) : onLeft > total / 2 ? -1 : nx;
    for (let r = 0; r < runs.length; r++)
      if (runs.component[r] === component)
        for (let x = runs.start[r]; x < runs.end[r]; x++) labels[runs.row[r] * nx + x] = x > border ? LEFT : RIGHT;
  }
}

function thinnestPlane(perX: Float64Array, middle: number, reach: number): number {
  let best = Math.round(middle);
  for (let x = Math.max(0, Math.round(middle - reach)); x <= Math.min(perX.length - 1, middle + reach); x++)
    if (perX[x] < perX[best]) best = x;
  return best;
}
