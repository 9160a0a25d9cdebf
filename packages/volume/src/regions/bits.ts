/**
 * Masks packed 32 voxels to a word, rows padded to whole words: a morphology step then costs a few word operations per 32
 * voxels. Bit b of word w of a row is column 32 w + b of the frame, a box that may be smaller than the grid or reach past it.
 */
import { type Box, boxSize } from '../box.js';
import type { Size3 } from '../geometry.js';
import { quadBits, wordsOf } from '../words.js';

const WORD = 32;
/** Four bits to a word of four 0/1 bytes. */
const SPREAD = Int32Array.from({ length: 16 }, (_, n) => (n & 1) | ((n & 2) << 7) | ((n & 4) << 14) | ((n & 8) << 21));

export interface BitMask {
  readonly frame: Box;
  readonly size: Size3;
  readonly wordsPerRow: number;
  readonly words: Int32Array;
}

export function emptyBits(frame: Box): BitMask {
  const size = boxSize(frame);
  const wordsPerRow = Math.ceil(size[0] / WORD);
  return { frame, size, wordsPerRow, words: new Int32Array(wordsPerRow * size[1] * size[2]) };
}

/** The frame with columns widened to multiples of four, where rows of the grid are whole words; else as it is. */
export function alignFrame({ low, high }: Box, size: Size3): Box {
  if (size[0] % 4 !== 0) return { low, high };
  return { low: [low[0] & ~3, low[1], low[2]], high: [(high[0] + 3) & ~3, high[1], high[2]] };
}

/** Rows and columns that frame and grid share. */
function shared({ low, high }: Box, size: Size3): Box {
  return {
    low: [Math.max(low[0], 0), Math.max(low[1], 0), Math.max(low[2], 0)],
    high: [Math.min(high[0], size[0]), Math.min(high[1], size[1]), Math.min(high[2], size[2])],
  };
}

/** Packs the part of a mask (anything but 0 is inside) that lies in an aligned frame. */
export function packBits(data: Uint8Array, size: Size3, frame: Box): BitMask {
  const bits = emptyBits(frame);
  const { words, wordsPerRow } = bits;
  const quads = size[0] % 4 === 0 ? wordsOf(data) : undefined;
  const { low, high } = shared(frame, size);
  for (let k = low[2]; k < high[2]; k++)
    for (let j = low[1]; j < high[1]; j++) {
      const base = size[0] * (j + size[1] * k);
      const to = wordsPerRow * (j - frame.low[1] + bits.size[1] * (k - frame.low[2]));
      if (quads)
        for (let i = low[0]; i < high[0]; i += 4) {
          const quad = quads[(base + i) >> 2];
          if (quad === 0) continue;
          const bit = i - frame.low[0];
          words[to + (bit >> 5)] |= quadBits(quad) << (bit & 31);
        }
      else
        for (let i = low[0]; i < high[0]; i++) {
          const bit = i - frame.low[0];
          if (data[base + i] !== 0) words[to + (bit >> 5)] |= 1 << (bit & 31);
        }
    }
  return bits;
}

/** Writes 0 and 1 into the part of `out` that the frame covers. */
export function unpackBits(bits: BitMask, out: Uint8Array, size: Size3): void {
  const { words, wordsPerRow, frame } = bits;
  const quads = size[0] % 4 === 0 ? wordsOf(out) : undefined;
  const { low, high } = shared(frame, size);
  for (let k = low[2]; k < high[2]; k++)
    for (let j = low[1]; j < high[1]; j++) {
      const base = size[0] * (j + size[1] * k);
      const from = wordsPerRow * (j - frame.low[1] + bits.size[1] * (k - frame.low[2]));
      if (quads)
        for (let i = low[0]; i < high[0]; i += 4) {
          const bit = i - frame.low[0];
          quads[(base + i) >> 2] = SPREAD[(words[from + (bit >> 5)] >>> (bit & 31)) & 15];
        }
      else
        for (let i = low[0]; i < high[0]; i++) {
          const bit = i - frame.low[0];
          out[base + i] = (words[from + (bit >> 5)] >>> (bit & 31)) & 1;
        }
    }
}
