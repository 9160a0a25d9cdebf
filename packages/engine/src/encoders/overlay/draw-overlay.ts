/**
 * The picture that a person looks at before trusting a segmentation: axial cuts from feet to head, coronal and sagittal
 * cuts through the middle of what was found, outlines in the structures' colours, and a legend with volumes. It shows no
 * patient data.
 */
import { type Segmentation, structureVoxels, type Volume, volumeInMl } from '@isocenter/volume';
import { greyWindow } from './grey-window.js';
import { Raster, type Rgb } from './raster.js';
import { drawTile } from './tile.js';
import { type View, type ViewPlane, viewOf } from './view.js';

export interface OverlayOptions {
  /** DICOM Modality: CT gets a fixed window, others percentiles. */
  readonly modality?: string;
  /** A line above the picture, such as the model's name and version. */
  readonly title?: string;
}

const COLUMNS = 4;
const TILE = 380;
const GAP = 4;
const AXIAL_ROWS = 2;
const TEXT_SCALE = 2;
const LINE = 24;
const LEGEND_COLUMNS = 3;
const MOST_LEGEND_ENTRIES = 60;
const INK: Rgb = [235, 235, 235];
const GROUND: Rgb = [12, 12, 14];

/** RGB picture of `segmentation` over `image`, both on one grid. */
export function drawOverlay(image: Volume, segmentation: Segmentation, options: OverlayOptions = {}): Raster {
  const window = greyWindow(image, options.modality);
  const ranges = occupied(segmentation);
  const rows = [
    ...Array.from({ length: AXIAL_ROWS }, (_, row) => cuts(image, ranges, 'axial', COLUMNS, row, AXIAL_ROWS)),
    [...cuts(image, ranges, 'coronal', COLUMNS / 2, 0, 1), ...cuts(image, ranges, 'sagittal', COLUMNS / 2, 0, 1)],
  ];
  const heights = rows.map((row) => Math.max(...row.map(({ view }) => tileHeight(view))));
  const entries = legend(segmentation);
  const legendHeight = Math.ceil(entries.length / LEGEND_COLUMNS) * LINE + GAP * 2;
  const width = COLUMNS * TILE + (COLUMNS + 1) * GAP;
  const raster = new Raster(width, LINE + GAP + heights.reduce((sum, h) => sum + h + GAP, 0) + legendHeight);
  raster.fill(0, 0, raster.width, raster.height, GROUND);
  raster.text(GAP * 2, 6, options.title ?? 'Segmentation', INK, TEXT_SCALE);
  let y = LINE + GAP;
  rows.forEach((row, r) => {
    row.forEach(({ view, at }, c) => {
      const place = { x: GAP + c * (TILE + GAP), y, width: TILE, height: heights[r] };
      drawTile(raster, place, image, segmentation, view, at, window);
    });
    y += heights[r] + GAP;
  });
  entries.forEach(({ colour, text }, n) => {
    const x = GAP * 2 + (n % LEGEND_COLUMNS) * Math.floor(width / LEGEND_COLUMNS);
    const top = y + GAP + Math.floor(n / LEGEND_COLUMNS) * LINE;
    raster.fill(x, top, 16, 16, colour);
    raster.text(x + 24, top + 1, text, INK, TEXT_SCALE);
  });
  return raster;
}

interface Cut {
  readonly view: View;
  readonly at: number;
}

function tileHeight(view: View): number {
  return Math.min(TILE * 1.5, Math.max(60, Math.round((TILE * view.heightMm) / view.widthMm)));
}

type Range = readonly [first: number, last: number];

/** Evenly spread over what is segmented; rows after one another go on where the row before ended. */
function cuts(
  image: Volume,
  ranges: readonly Range[],
  plane: ViewPlane,
  count: number,
  row: number,
  rows: number,
): Cut[] {
  const view = viewOf(image, plane);
  const [first, last] = ranges[view.through];
  const total = count * rows;
  return Array.from({ length: count }, (_, n) => {
    const share = (row * count + n + 1) / (total + 1);
    return { view, at: Math.round(first + (last - first) * share) };
  });
}

/** First and last index per axis with a structure's voxel; the whole grid when nothing was found. The outer contour alone does not count. */
function occupied({ grid, layers, structures }: Segmentation): readonly Range[] {
  const [ni, nj, nk] = grid.size;
  const low = [ni, nj, nk];
  const high = [-1, -1, -1];
  const inner = structures.filter((structure) => structure.interpretedType !== 'EXTERNAL');
  for (const wanted of [inner, structures]) {
    layers.forEach(({ data }, layer) => {
      const labels = new Uint8Array(65536);
      for (const structure of wanted) if (structure.layer === layer) labels[structure.label] = 1;
      for (let k = 0, row = 0; k < nk; k++)
        for (let j = 0; j < nj; j++, row += ni) {
          let from = 0;
          while (from < ni && labels[data[row + from]] === 0) from++;
          if (from === ni) continue;
          let to = ni - 1;
          while (labels[data[row + to]] === 0) to--;
          low[0] = Math.min(low[0], from);
          high[0] = Math.max(high[0], to);
          low[1] = Math.min(low[1], j);
          high[1] = Math.max(high[1], j);
          low[2] = Math.min(low[2], k);
          high[2] = Math.max(high[2], k);
        }
    });
    if (high[2] >= 0) break;
  }
  return grid.size.map((n, axis) => (high[axis] < 0 ? [0, n - 1] : [low[axis], high[axis]]) as Range);
}

function legend(segmentation: Segmentation): { colour: Rgb; text: string }[] {
  const voxels = structureVoxels(segmentation);
  const entries = segmentation.structures.map(({ colour, name }, n) => {
    const ml = volumeInMl(voxels[n], segmentation.grid.affine);
    const volume = voxels[n] === 0 ? 'empty' : `${ml.toFixed(ml < 100 ? 1 : 0)} ml`;
    return { colour, text: `${name.slice(0, 26)}  ${volume}` };
  });
  if (entries.length <= MOST_LEGEND_ENTRIES) return entries;
  const more = entries.length - MOST_LEGEND_ENTRIES + 1;
  return [...entries.slice(0, MOST_LEGEND_ENTRIES - 1), { colour: GROUND, text: `and ${more} more` }];
}
