/** Frames and lines of a given width on a picture. */
import type { Raster, Rgb } from '../encoders/overlay/raster.js';

export type Point = readonly [x: number, y: number];

/** The border of a rectangle, `width` pixels wide, its middle on the edges. */
export function strokeBox(
  raster: Raster,
  [left, top]: Point,
  [right, bottom]: Point,
  colour: Rgb,
  width: number,
): void {
  const half = Math.floor(width / 2);
  const across = right - left + width;
  const down = bottom - top + width;
  raster.fill(left - half, top - half, across, width, colour);
  raster.fill(left - half, bottom - half, across, width, colour);
  raster.fill(left - half, top - half, width, down, colour);
  raster.fill(right - half, top - half, width, down, colour);
}

/** Farther out nothing is drawn: a point that an answer puts a million pixels away must not cost a million steps. */
const MARGIN = 100;

/** A straight line with short bars across its ends, as rulers have them. */
export function strokeRuler(raster: Raster, from: Point, to: Point, colour: Rgb, width: number): void {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  strokeLine(raster, from, to, colour, width);
  if (length === 0) return;
  const BAR = 7;
  const across = [((to[1] - from[1]) * BAR) / length, (-(to[0] - from[0]) * BAR) / length];
  for (const end of [from, to])
    strokeLine(
      raster,
      [end[0] - across[0], end[1] - across[1]],
      [end[0] + across[0], end[1] + across[1]],
      colour,
      width,
    );
}

function strokeLine(raster: Raster, from: Point, to: Point, colour: Rgb, width: number): void {
  const inside = ([x, y]: Point) =>
    x > -MARGIN && y > -MARGIN && x < raster.width + MARGIN && y < raster.height + MARGIN;
  if (!inside(from) || !inside(to)) return;
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]))));
  const half = Math.floor(width / 2);
  for (let step = 0; step <= steps; step++) {
    const share = step / steps;
    const x = Math.round(from[0] + (to[0] - from[0]) * share);
    const y = Math.round(from[1] + (to[1] - from[1]) * share);
    raster.fill(x - half, y - half, width, width, colour);
  }
}
