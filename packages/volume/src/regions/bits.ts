/**
 * Masks packed 32 voxels to a word, rows padded to whole words: a morphology step then costs a few word operations per 32
 * voxels. Bit b of word w of a row is voxel i = 32 w + b.
 */
import type { Size3 } from '../geometry.js';

const WORD = 32;

export interface BitMask {
  readonly size: Size3;
  readonly wordsPerRow: number;
  readonly words: Int32Array;
}

export function emptyBits(size: Size3): BitMask {
  const wordsPerRow = Math.ceil(size[0] / WORD);
  return { size, wordsPerRow, words: new Int32Array(wordsPerRow * size[1] * size[2]) };
}

/** Packs a mask (anything but 0 is inside), shifted by `pad` voxels into a grid that is larger by `pad` on every side. */
export function packBits(data: Uint8Array, size: Size3, pad = 0): BitMask {
  const [ni, nj, nk] = size;
  const bits = emptyBits([ni + 2 * pad, nj + 2 * pad, nk + 2 * pad]);
  const { words, wordsPerRow } = bits;
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const base = ni * (j + nj * k);
      const to = wordsPerRow * (j + pad + bits.size[1] * (k + pad));
      for (let i = 0; i < ni; i++) if (data[base + i] !== 0) words[to + ((i + pad) >> 5)] |= 1 << ((i + pad) & 31);
    }
  return bits;
}

/** Unpacks the part of the grid that `packBits` took in (without its padding) into 0 and 1. */
export function unpackBits(bits: BitMask, pad: number, out: Uint8Array): void {
  const ni = bits.size[0] - 2 * pad;
  const nj = bits.size[1] - 2 * pad;
  const nk = bits.size[2] - 2 * pad;
  const { words, wordsPerRow } = bits;
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const base = ni * (j + nj * k);
      const from = wordsPerRow * (j + pad + bits.size[1] * (k + pad));
      for (let i = 0; i < ni; i++) out[base + i] = (words[from + ((i + pad) >> 5)] >>> ((i + pad) & 31)) & 1;
    }
}
