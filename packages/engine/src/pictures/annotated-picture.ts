/**
 * One image with what a model said about it: masks and heat maps over the anatomy, boxes, rulers, and beside it a panel
 * with the legend. For integrators who check an answer by eye. It shows no patient data unless a label does.
 */
import { GLYPH_HEIGHT, GLYPH_PITCH } from '../encoders/overlay/font.js';
import { Raster, type Rgb } from '../encoders/overlay/raster.js';
import type { ColourMap } from './colour-map.js';
import type { DisplayImage } from './display-image.js';
import { BOX_COLOUR, coveredPixels, drawPanel, panelEntries, panelHeight, RULER_COLOUR } from './panel.js';
import { nearestIndices, resizePicture } from './resize-picture.js';
import { type Point, strokeBox, strokeRuler } from './strokes.js';

/** Pixels of the image where a finding is; row by row from the top. */
export interface PictureMask {
  readonly kind: 'mask';
  readonly label: string;
  readonly colour: Rgb;
  /** Non-zero: inside. */
  readonly inside: Uint8Array;
}

export interface PictureHeat {
  readonly kind: 'heat';
  readonly label: string;
  readonly values: Uint8Array;
  readonly colours: ColourMap;
}

/** Corners and ends count in pixels of the image: column, row; whole numbers are the middles of pixels. */
export interface PictureBox {
  readonly kind: 'box';
  readonly label: string;
  readonly from: Point;
  readonly to: Point;
}

export interface PictureRuler {
  readonly kind: 'ruler';
  readonly label: string;
  readonly from: Point;
  readonly to: Point;
  /** Such as `12.5 mm`. */
  readonly length: string;
}

export type PictureFinding = PictureMask | PictureHeat | PictureBox | PictureRuler;

export interface PictureOptions {
  readonly title: string;
  /** At the left, right, upper and lower edge: where the patient's sides are. */
  readonly letters?: readonly [string, string, string, string];
  /** Lines of text below the legend. */
  readonly lines?: readonly string[];
}

/** Small images grow to this length of the longer side, large ones shrink to the second. */
const LEAST_SIDE = 640;
const MOST_SIDE = 1024;
const SHARE = 0.5;
const OUTLINE = 0.9;
const BOX_WIDTH = 5;
const RULER_WIDTH = 3;
const LETTERS: Rgb = [255, 214, 102];
/** Red, green and blue of what is not image. */
const GROUND = 12;
const GAP = 12;

/** Findings whose arrays do not have the size of the image are a fault of the caller and refused by a RangeError. */
export function annotatedPicture(
  image: DisplayImage,
  findings: readonly PictureFinding[],
  options: PictureOptions,
): Raster {
  const upright = image.height * image.pixelAspect;
  const longest = Math.max(image.width, upright);
  const factor = longest < LEAST_SIDE ? LEAST_SIDE / longest : Math.min(1, MOST_SIDE / longest);
  const width = Math.max(1, Math.round(image.width * factor));
  const height = Math.max(1, Math.round(upright * factor));
  const panel = panelEntries({ title: options.title, findings, lines: options.lines ?? [] }, PANEL_WIDTH - 2 * GAP);
  const raster = new Raster(width + PANEL_WIDTH, Math.max(height, panelHeight(panel) + 2 * GAP));
  raster.data.fill(GROUND);
  const anatomy = resizePicture(image, width, height);
  put(raster, anatomy, width, height);
  const across = nearestIndices(image.width, width);
  const down = nearestIndices(image.height, height).map((row) => row * image.width);
  for (const finding of largestFirst(findings)) {
    const { length } = finding.kind === 'mask' ? finding.inside : finding.values;
    if (length !== image.width * image.height) throw new RangeError('A mask has another size than its image');
    if (finding.kind === 'mask') tint(raster, anatomy, finding, across, down);
    else heat(raster, finding, across, down);
  }
  if (options.letters) drawLetters(raster, width, height, options.letters);
  const place = ([column, row]: Point): Point => [
    Math.round(((column + 0.5) * width) / image.width),
    Math.round(((row + 0.5) * height) / image.height),
  ];
  const inImage = clipped(raster, width, height);
  for (const finding of findings) {
    if (finding.kind === 'box') drawBox(inImage, place(finding.from), place(finding.to), finding.label);
    if (finding.kind === 'ruler') drawRuler(inImage, place(finding.from), place(finding.to), finding);
  }
  put(raster, inImage.data, width, height);
  drawPanel(raster, width + GAP, GAP, PANEL_WIDTH - 2 * GAP, panel);
  return raster;
}

const PANEL_WIDTH = 400;

function put(raster: Raster, rgb: Uint8Array, width: number, height: number): void {
  for (let row = 0; row < height; row++)
    raster.data.set(rgb.subarray(3 * row * width, 3 * (row + 1) * width), 3 * row * raster.width);
}

/** A copy of the image's part: a box that reaches beyond the image must not run through the legend. */
function clipped(raster: Raster, width: number, height: number): Raster {
  const part = new Raster(width, height);
  for (let row = 0; row < height; row++)
    part.data.set(raster.data.subarray(3 * row * raster.width, 3 * (row * raster.width + width)), 3 * row * width);
  return part;
}

/** Heat maps, then masks: where masks overlap, the smaller one is seen, in the colour of the legend. */
function largestFirst(findings: readonly PictureFinding[]): readonly (PictureMask | PictureHeat)[] {
  const heats = findings.filter((finding) => finding.kind === 'heat');
  const masks = findings.filter((finding) => finding.kind === 'mask');
  const sized = masks.map((mask) => ({ mask, pixels: coveredPixels(mask) })).sort((a, b) => b.pixels - a.pixels);
  return [...heats, ...sized.map(({ mask }) => mask)];
}

/** Over the anatomy itself, not over what other masks have made of it. */
function tint(raster: Raster, anatomy: Uint8Array, mask: PictureMask, across: Int32Array, down: Int32Array): void {
  const { inside, colour } = mask;
  const at = (u: number, v: number) =>
    u >= 0 && v >= 0 && u < across.length && v < down.length && inside[across[u] + down[v]] !== 0;
  for (let v = 0; v < down.length; v++)
    for (let u = 0; u < across.length; u++) {
      if (inside[across[u] + down[v]] === 0) continue;
      const edge = !at(u - 1, v) || !at(u + 1, v) || !at(u, v - 1) || !at(u, v + 1);
      const share = edge ? OUTLINE : SHARE;
      const from = 3 * (u + v * across.length);
      const to = 3 * (u + v * raster.width);
      for (let c = 0; c < 3; c++) raster.data[to + c] = Math.round(anatomy[from + c] * (1 - share) + colour[c] * share);
    }
}

function heat(raster: Raster, { values, colours }: PictureHeat, across: Int32Array, down: Int32Array): void {
  for (let v = 0; v < down.length; v++)
    for (let u = 0; u < across.length; u++) {
      const at = 4 * values[across[u] + down[v]];
      if (colours[at + 3] === 0) continue;
      raster.blend(u, v, [colours[at], colours[at + 1], colours[at + 2]], (SHARE * colours[at + 3]) / 255);
    }
}

function drawBox(raster: Raster, a: Point, b: Point, label: string): void {
  const topLeft: Point = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  const bottomRight: Point = [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  strokeBox(raster, topLeft, bottomRight, BOX_COLOUR, BOX_WIDTH);
  const LINE = 20;
  const above = topLeft[1] - LINE;
  caption(raster, topLeft[0] - 2, above >= 2 ? above : bottomRight[1] + 6, label, BOX_COLOUR);
}

function drawRuler(raster: Raster, from: Point, to: Point, { label, length }: PictureRuler): void {
  strokeRuler(raster, from, to, RULER_COLOUR, RULER_WIDTH);
  const x = Math.round((from[0] + to[0]) / 2) + 8;
  const y = Math.round((from[1] + to[1]) / 2) + 8;
  caption(raster, x, y, `${label} ${length}`, RULER_COLOUR);
}

/** Moved where it would leave the picture; its beginning is seen when it is longer than the picture is wide. */
function caption(raster: Raster, x: number, y: number, text: string, colour: Rgb): void {
  const [right, bottom] = [raster.width - [...text].length * 2 * GLYPH_PITCH - 2, raster.height - 2 * GLYPH_HEIGHT - 2];
  raster.text(Math.max(2, Math.min(x, right)), Math.max(2, Math.min(y, bottom)), text, colour, 2);
}

function drawLetters(raster: Raster, width: number, height: number, letters: readonly string[]): void {
  const [left, right, upper, lower] = letters;
  raster.text(6, Math.round(height / 2 - 7), left, LETTERS, 2);
  raster.text(width - 16, Math.round(height / 2 - 7), right, LETTERS, 2);
  raster.text(Math.round(width / 2 - 5), 6, upper, LETTERS, 2);
  raster.text(Math.round(width / 2 - 5), height - 20, lower, LETTERS, 2);
}
