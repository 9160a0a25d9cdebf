/** An RGB picture in memory: pixels, frames and small letters; row by row from the top, 3 bytes a pixel. */
import { GLYPH_PITCH, glyphRows } from './font.js';

export type Rgb = readonly [number, number, number];

export class Raster {
  readonly data: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8Array(width * height * 3);
  }

  /** Mixes `colour` into a pixel with weight `share` (0..1). Outside the picture nothing happens. */
  blend(x: number, y: number, [r, g, b]: Rgb, share = 1): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = 3 * (x + this.width * y);
    const { data } = this;
    data[at] += Math.round((r - data[at]) * share);
    data[at + 1] += Math.round((g - data[at + 1]) * share);
    data[at + 2] += Math.round((b - data[at + 2]) * share);
  }

  fill(x: number, y: number, width: number, height: number, colour: Rgb): void {
    for (let v = y; v < y + height; v++) for (let u = x; u < x + width; u++) this.blend(u, v, colour);
  }

  /** Letters of 5 × 7 pixels times `scale`, top left corner at (x, y), with a dark rim so that they show on any ground. */
  text(x: number, y: number, text: string, colour: Rgb, scale = 1): void {
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ])
      this.#letters(x + dx, y + dy, text, [0, 0, 0], scale);
    this.#letters(x, y, text, colour, scale);
  }

  #letters(x: number, y: number, text: string, colour: Rgb, scale: number): void {
    [...text].forEach((character, n) => {
      glyphRows(character).forEach((row, v) => {
        for (let u = 0; u < row.length; u++)
          if (row[u] === '#') this.fill(x + (n * GLYPH_PITCH + u) * scale, y + v * scale, scale, scale, colour);
      });
    });
  }
}
