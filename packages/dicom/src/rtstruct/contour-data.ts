/**
 * Contour Data (3006,0050) as bytes: fixed-point decimal strings written straight into large byte blocks, no string per
 * number. A structure set of 20 organs has a million numbers; this is most of what writing one means.
 */
import { type Affine, spacingOf } from '@isocenter/volume';
import { DicomError } from '../dataset/errors.js';

/** PS3.5 6.2: a decimal string has at most 16 bytes. */
const DS_LENGTH = 16;
const FEWEST_DECIMALS = 3;
const MOST_DECIMALS = 6;
/** Rounding may move a vertex by this part of a voxel. Edges run half a voxel from the pixel centres. */
const VERTEX_TOLERANCE = 1e-3;
/** Farther from the origin than any patient (mm); with six decimals and a sign still 16 characters. */
const FARTHEST_MM = 1e7;
const BLOCK_BYTES = 1 << 20;
const COORDINATES = 3;

/** Three decimals, or as many more as a vertex needs to stay within 1e-3 of a (very small) voxel. */
export function decimalsFor(affine: Affine): number {
  const smallest = Math.min(...spacingOf(affine));
  let decimals = FEWEST_DECIMALS;
  while (decimals < MOST_DECIMALS && 0.5 * 10 ** -decimals > VERTEX_TOLERANCE * smallest) decimals++;
  return decimals;
}

/** Writes vertices of slices as LPS mm; the views that it hands out share its blocks and are never written again. */
export class ContourDataWriter {
  #block = new Uint8Array(BLOCK_BYTES);
  #at = 0;
  readonly #scale: number;

  /** `trim`: leave out zeros at the end of the decimals (and the point); InnerEye clients are used to fixed decimals. */
  constructor(
    readonly affine: Affine,
    readonly decimals: number,
    readonly trim: boolean,
  ) {
    this.#scale = 10 ** decimals;
    if (!(decimals >= 0 && decimals <= MOST_DECIMALS))
      throw new DicomError('invalid-value', `Contours can be written with 0 to ${MOST_DECIMALS} decimals.`);
  }

  /** `x\y\z\x\y\z…` of a ring [i0, j0, i1, j1, …] in slice k. Throws DicomError 'geometry' far outside any patient. */
  write(ring: ArrayLike<number>, k: number): Uint8Array {
    const longest = (ring.length / 2) * COORDINATES * (DS_LENGTH + 1);
    if (this.#at + longest > this.#block.length) {
      this.#block = new Uint8Array(Math.max(BLOCK_BYTES, longest));
      this.#at = 0;
    }
    const m = this.affine;
    const start = this.#at;
    for (let p = 0; p < ring.length; p += 2) {
      const i = ring[p] as number;
      const j = ring[p + 1] as number;
      for (let row = 0; row < COORDINATES; row++) {
        const c = row * 4;
        if (row > 0 || p > 0) this.#block[this.#at++] = 0x5c;
        this.#number((m[c] as number) * i + (m[c + 1] as number) * j + (m[c + 2] as number) * k + (m[c + 3] as number));
      }
    }
    return this.#block.subarray(start, this.#at);
  }

  #number(value: number): void {
    const block = this.#block;
    let at = this.#at;
    const size = Math.abs(value);
    if (!(size < FARTHEST_MM))
      throw new DicomError('geometry', 'A contour lies farther from the origin than any patient can.', {
        next: 'Check the affine of the reference series.',
      });
    const scaled = Math.round(size * this.#scale);
    let whole = Math.floor(scaled / this.#scale);
    let part = scaled - whole * this.#scale;
    if (value < 0 && scaled > 0) block[at++] = 0x2d;
    let digits = 1;
    for (let limit = 10; whole >= limit; limit *= 10) digits++;
    for (let d = at + digits - 1; d >= at; d--) {
      const tenth = (whole / 10) | 0;
      block[d] = 0x30 + (whole - tenth * 10);
      whole = tenth;
    }
    at += digits;
    let decimals = this.decimals;
    if (this.trim) {
      if (part === 0) decimals = 0;
      else
        while (part % 10 === 0) {
          part /= 10;
          decimals--;
        }
    }
    if (decimals > 0) {
      block[at++] = 0x2e;
      for (let d = at + decimals - 1; d >= at; d--) {
        const tenth = (part / 10) | 0;
        block[d] = 0x30 + (part - tenth * 10);
        part = tenth;
      }
      at += decimals;
    }
    this.#at = at;
  }
}
