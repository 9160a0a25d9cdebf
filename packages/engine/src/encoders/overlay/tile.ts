/** One cut drawn into a rectangle of a picture: grey values interpolated, structures as coloured outlines over a faint tint. */
import type { Segmentation, Volume } from '@isocenter/volume';
import type { GreyWindow } from './grey-window.js';
import type { Raster, Rgb } from './raster.js';
import type { View } from './view.js';

export interface TilePlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const TINT = 0.1;
const OUTLINE = 0.95;
const LETTERS: Rgb = [255, 214, 102];
const MARGIN = 4;
/** Two letters above one another, with air between them. */
const LEAST_HEIGHT_FOR_LETTERS = 60;

/** `at` is the index along the view's through axis. Square millimetres stay square; the cut is centred in the place. */
export function drawTile(
  raster: Raster,
  place: TilePlace,
  image: Volume,
  segmentation: Segmentation,
  view: View,
  at: number,
  window: GreyWindow,
): void {
  const scale = Math.min(place.width / view.widthMm, place.height / view.heightMm);
  const width = Math.max(1, Math.round(view.widthMm * scale));
  const height = Math.max(1, Math.round(view.heightMm * scale));
  const x0 = place.x + Math.floor((place.width - width) / 2);
  const y0 = place.y + Math.floor((place.height - height) / 2);
  const across = axisTable(image.size[view.right], width, view.rightFlip, strideOf(image, view.right));
  const down = axisTable(image.size[view.down], height, view.downFlip, strideOf(image, view.down));
  const base = at * strideOf(image, view.through);
  const gain = 255 / (window.white - window.black);
  const { data } = image;
  for (let v = 0; v < height; v++)
    for (let u = 0; u < width; u++) {
      const a = base + across.low[u];
      const b = base + across.high[u];
      const upper = data[a + down.low[v]] * (1 - across.share[u]) + data[b + down.low[v]] * across.share[u];
      const lower = data[a + down.high[v]] * (1 - across.share[u]) + data[b + down.high[v]] * across.share[u];
      const value = upper + (lower - upper) * down.share[v];
      const grey = Math.min(Math.max(Math.round((value - window.black) * gain), 0), 255);
      raster.blend(x0 + u, y0 + v, [grey, grey, grey]);
    }
  drawStructures(raster, x0, y0, width, height, segmentation, base, across.nearest, down.nearest);
  drawLetters(raster, x0, y0, width, height, view);
}

function strideOf({ size }: Volume, axis: number): number {
  return axis === 0 ? 1 : axis === 1 ? size[0] : size[0] * size[1];
}

interface AxisTable {
  /** Offsets in the data of the two neighbours and the share of the second; of the nearest voxel. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float32Array;
  readonly nearest: Int32Array;
}

function axisTable(n: number, pixels: number, flip: boolean, stride: number): AxisTable {
  const low = new Int32Array(pixels);
  const high = new Int32Array(pixels);
  const share = new Float32Array(pixels);
  const nearest = new Int32Array(pixels);
  for (let p = 0; p < pixels; p++) {
    const along = ((p + 0.5) * n) / pixels - 0.5;
    const index = Math.min(Math.max(flip ? n - 1 - along : along, 0), n - 1);
    const first = Math.floor(index);
    low[p] = first * stride;
    high[p] = Math.min(first + 1, n - 1) * stride;
    share[p] = index - first;
    nearest[p] = Math.round(index) * stride;
  }
  return { low, high, share, nearest };
}

function drawStructures(
  raster: Raster,
  x0: number,
  y0: number,
  width: number,
  height: number,
  { layers, structures }: Segmentation,
  base: number,
  across: Int32Array,
  down: Int32Array,
): void {
  layers.forEach(({ data }, layer) => {
    const colours = new Map(structures.filter((s) => s.layer === layer).map((s) => [s.label, s.colour]));
    const labelAt = (u: number, v: number) =>
      u < 0 || v < 0 || u >= width || v >= height ? 0 : data[base + across[u] + down[v]];
    for (let v = 0; v < height; v++)
      for (let u = 0; u < width; u++) {
        const label = labelAt(u, v);
        const colour = label === 0 ? undefined : colours.get(label);
        if (colour === undefined) continue;
        const edge =
          labelAt(u - 1, v) !== label ||
          labelAt(u + 1, v) !== label ||
          labelAt(u, v - 1) !== label ||
          labelAt(u, v + 1) !== label;
        // The tint of an outer contour (body) would veil the whole picture.
        if (edge) raster.blend(x0 + u, y0 + v, colour, OUTLINE);
        else if (layer > 0 || layers.length === 1) raster.blend(x0 + u, y0 + v, colour, TINT);
      }
  });
}

function drawLetters(raster: Raster, x: number, y: number, width: number, height: number, view: View): void {
  const [left, right, upper, lower] = view.letters;
  raster.text(x + MARGIN, Math.round(y + height / 2 - 7), left, LETTERS, 2);
  raster.text(x + width - 10 - MARGIN, Math.round(y + height / 2 - 7), right, LETTERS, 2);
  if (height < LEAST_HEIGHT_FOR_LETTERS) return;
  raster.text(Math.round(x + width / 2 - 5), y + MARGIN, upper, LETTERS, 2);
  raster.text(Math.round(x + width / 2 - 5), y + height - 14 - MARGIN, lower, LETTERS, 2);
}
