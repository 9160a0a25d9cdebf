/**
 * From coarse cells to voxels: cells well inside are taken whole; in cells at the border each voxel decides by its own HU,
 * so the drawn edge is as sharp as the image.
 */
import { dilateMask, erodeMask, type Size3, spacingOf, type Volume } from '@isocenter/volume';
import { type CoarseBody, SKIN_HU } from './body.js';
import type { CoarseGrid } from './coarse-grid.js';
import { fillPlaneHoles } from './fill-plane-holes.js';
import type { CoarseLungs } from './lungs.js';

/** Half way between aerated lung and the chest wall is about -400; contours of clinicians include the blurred rim. */
const LUNG_EDGE_HU = -280;
/** Specks of noise and vessels that cross the edge zone, in one slice. */
const SPECK_MM2 = 60;

/** What to do with the voxels of a cell: leave them, take them all, or ask each one. */
const OUTSIDE = 0;
const INSIDE = 1;
const ASK = 2;

/** 1 inside the body at full resolution. */
export function drawBody(volume: Volume, grid: CoarseGrid, { mask, tissue }: CoarseBody): Uint8Array {
  const state = edgeStates(mask, grid.size, (c) => tissue[c] === 0);
  const out = new Uint8Array(volume.data.length);
  eachRow(volume, grid, (at, base) => {
    for (let i = 0; i < volume.size[0]; i++) {
      const s = state[base + grid.ofColumn[i]];
      if (s === INSIDE || (s === ASK && volume.data[at + i] > SKIN_HU)) out[at + i] = 1;
    }
  });
  fillPlaneHoles(out, volume.size, 1);
  return out;
}

/** Writes `left` and `right` into `labels` (full resolution) where lung is and `body` is 1. */
export function drawLungs(
  volume: Volume,
  grid: CoarseGrid,
  lungs: CoarseLungs,
  body: Uint8Array,
  labels: Uint8Array,
  values: readonly [left: number, right: number],
): void {
  const { data } = volume;
  const airway = dilateMask(lungs.airway, grid.size, 6, 1);
  const spacing = spacingOf(volume.affine);
  const specks = SPECK_MM2 / (spacing[0] * spacing[1]);
  values.forEach((value, n) => {
    const side = n + 1;
    const one = lungs.labels.map((label) => (label === side ? 1 : 0));
    const state = edgeStates(one, grid.size, (c) => airway[c] === 0 && lungs.labels[c] === 0);
    // Cells that closing took in are vessels: their voxels are dense and must not be asked.
    for (let c = 0; c < state.length; c++) if (one[c] && !lungs.aerated[c]) state[c] = INSIDE;
    eachRow(volume, grid, (at, base) => {
      for (let i = 0; i < volume.size[0]; i++) {
        const s = state[base + grid.ofColumn[i]];
        if (s === OUTSIDE || !body[at + i] || labels[at + i] !== 0) continue;
        if (s === INSIDE || data[at + i] < LUNG_EDGE_HU) labels[at + i] = value;
      }
    });
    fillPlaneHoles(labels, volume.size, value, ({ voxels }) => voxels <= specks);
  });
}

/** INSIDE for cells whose neighbours are all in the mask, ASK for the mask's border and for the cells next to it that `may` be. */
function edgeStates(mask: Uint8Array, size: Size3, may: (cell: number) => boolean): Uint8Array {
  const inner = erodeMask(mask, size, 6, 1);
  const outer = dilateMask(mask, size, 6, 1);
  for (let c = 0; c < mask.length; c++) outer[c] = inner[c] ? INSIDE : mask[c] || (outer[c] && may(c)) ? ASK : OUTSIDE;
  return outer;
}

function eachRow(volume: Volume, grid: CoarseGrid, visit: (firstVoxel: number, cellBase: number) => void): void {
  const [ni, nj, nk] = volume.size;
  for (let k = 0; k < nk; k++) for (let j = 0; j < nj; j++) visit(ni * (j + nj * k), grid.ofRow[j] + grid.ofSlice[k]);
}
