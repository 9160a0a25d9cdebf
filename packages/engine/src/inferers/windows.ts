/**
 * The border between our voxel order (i fastest) and a network's (last axis fastest): cuts a window out of a tensor.
 * What lies outside the image is made by the padding mode.
 */
import type { ChannelTensor } from '../transforms/tensor.js';

export type PaddingMode = 'constant' | 'replicate' | 'reflect' | 'circular';

export interface Window {
  /** First voxel along i, j, k; may be negative. */
  readonly start: readonly [number, number, number];
  readonly size: readonly [number, number, number];
}

/** One cache line of float32: the inner tile of the transposing copy. */
const BLOCK = 16;

/** Input index of each window voxel along one axis; −1 is "outside, constant". */
export function sourceIndices(start: number, length: number, image: number, mode: PaddingMode): Int32Array {
  const out = new Int32Array(length);
  for (let at = 0; at < length; at++) {
    const x = start + at;
    if (x >= 0 && x < image) out[at] = x;
    else if (mode === 'constant') out[at] = -1;
    else if (mode === 'replicate') out[at] = x < 0 ? 0 : image - 1;
    else if (mode === 'circular') out[at] = ((x % image) + image) % image;
    else {
      const period = Math.max(1, 2 * (image - 1));
      const folded = ((x % period) + period) % period;
      out[at] = folded < image ? folded : period - folded;
    }
  }
  return out;
}

/** Fills `into` with [channel][i][j][k], k fastest. */
export function cutWindow(
  tensor: ChannelTensor,
  window: Window,
  mode: PaddingMode,
  cval: number,
  into: Float32Array,
): void {
  const { data, size, channels } = tensor;
  const [wi, wj, wk] = window.size;
  const [ii, jj, kk] = window.size.map((n, axis) => sourceIndices(window.start[axis], n, size[axis], mode));
  const inside = ![ii, jj, kk].some((list) => list.includes(-1));
  if (!inside) into.fill(cval);
  // Nearly all windows lie inside the image along i: no table is needed then.
  const straight = window.start[0] >= 0 && window.start[0] + wi <= size[0];
  const plane = size[0] * size[1];
  for (let channel = 0; channel < channels; channel++) {
    const source = channel * plane * size[2];
    const target = channel * wi * wj * wk;
    for (let j = 0; j < wj; j++) {
      if (jj[j] < 0) continue;
      const row = source + jj[j] * size[0];
      for (let i0 = 0; i0 < wi; i0 += BLOCK) {
        const i1 = Math.min(i0 + BLOCK, wi);
        for (let k = 0; k < wk; k++) {
          if (kk[k] < 0) continue;
          const base = row + kk[k] * plane;
          if (straight)
            for (let i = i0, to = target + (i0 * wj + j) * wk + k; i < i1; i++, to += wj * wk)
              into[to] = data[base + ii[0] + i];
          else
            for (let i = i0, to = target + (i0 * wj + j) * wk + k; i < i1; i++, to += wj * wk)
              if (ii[i] >= 0) into[to] = data[base + ii[i]];
        }
      }
    }
  }
}

/** The whole tensor in channels-last order [i][j][k][channel], for networks that were exported that way. */
export function channelsLast(window: Float32Array, channels: number): Float32Array {
  const count = window.length / channels;
  const out = new Float32Array(window.length);
  for (let channel = 0; channel < channels; channel++)
    for (let at = 0; at < count; at++) out[at * channels + channel] = window[channel * count + at];
  return out;
}
