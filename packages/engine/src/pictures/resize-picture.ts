/** A picture at another size: averaged where it shrinks, interpolated where it grows; and the nearest source pixel of each. */
import type { DisplayImage } from './display-image.js';

/** First source index, one behind the last, and what each side weighs: one entry a target pixel. */
interface Reach {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float32Array;
}

/** Source index under the middle of each target pixel. */
export function nearestIndices(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to }, (_, at) => Math.min(from - 1, Math.floor(((at + 0.5) * from) / to)));
}

/** RGB of `width` × `height` pixels. */
export function resizePicture(
  { rgb, width: from, height: rows }: DisplayImage,
  width: number,
  height: number,
): Uint8Array {
  const shrinks = width < from || height < rows;
  return shrinks ? averaged(rgb, from, rows, width, height) : interpolated(rgb, from, rows, width, height);
}

function averaged(rgb: Uint8Array, from: number, rows: number, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  const bounds = (n: number, pixels: number) =>
    Int32Array.from({ length: pixels + 1 }, (_, at) => Math.floor((at * n) / pixels));
  const across = bounds(from, width);
  const down = bounds(rows, height);
  for (let v = 0; v < height; v++)
    for (let u = 0; u < width; u++) {
      const right = Math.max(across[u + 1], across[u] + 1);
      const bottom = Math.max(down[v + 1], down[v] + 1);
      let [r, g, b] = [0, 0, 0];
      for (let y = down[v]; y < bottom; y++)
        for (let x = across[u], at = 3 * (x + y * from); x < right; x++, at += 3) {
          r += rgb[at];
          g += rgb[at + 1];
          b += rgb[at + 2];
        }
      const count = (right - across[u]) * (bottom - down[v]);
      const to = 3 * (u + v * width);
      out[to] = r / count + 0.5;
      out[to + 1] = g / count + 0.5;
      out[to + 2] = b / count + 0.5;
    }
  return out;
}

function interpolated(rgb: Uint8Array, from: number, rows: number, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  const across = reach(from, width);
  const down = reach(rows, height);
  for (let v = 0, to = 0; v < height; v++) {
    const upper = down.low[v] * from;
    const lower = down.high[v] * from;
    for (let u = 0; u < width; u++)
      for (let c = 0; c < 3; c++, to++) {
        const [left, right, share] = [3 * across.low[u] + c, 3 * across.high[u] + c, across.share[u]];
        const a = rgb[3 * upper + left] * (1 - share) + rgb[3 * upper + right] * share;
        const b = rgb[3 * lower + left] * (1 - share) + rgb[3 * lower + right] * share;
        out[to] = a + (b - a) * down.share[v] + 0.5;
      }
  }
  return out;
}

function reach(n: number, pixels: number): Reach {
  const low = new Int32Array(pixels);
  const high = new Int32Array(pixels);
  const share = new Float32Array(pixels);
  for (let p = 0; p < pixels; p++) {
    const index = Math.min(Math.max(((p + 0.5) * n) / pixels - 0.5, 0), n - 1);
    low[p] = Math.floor(index);
    high[p] = Math.min(low[p] + 1, n - 1);
    share[p] = index - low[p];
  }
  return { low, high, share };
}
