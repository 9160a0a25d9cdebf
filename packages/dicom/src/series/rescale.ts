/** Inner loops from stored to measured values. `out` may lie over `stored`: each value is read before it is written. */
import type { Dataset } from '../dataset/dataset.js';
import type { Rescale } from './frame.js';
import type { VolumeArray } from './values.js';

export type StoredArray = Int16Array | Uint16Array | Uint8Array | Int32Array | Uint32Array | Int8Array;

/** Stored values that mean "no measurement" (Pixel Padding Value to Range Limit), and what is written for them. */
export interface Padding {
  readonly low: number;
  readonly high: number;
  readonly value: number;
}

const INT16_MIN = -32768;
const INT16_MAX = 32767;

/** out = slope · stored + intercept. False when some result does not fit an Int16Array (`out` is then without meaning). */
export function rescaleInto(
  stored: StoredArray,
  out: VolumeArray,
  { slope, intercept }: Pick<Rescale, 'slope' | 'intercept'>,
  padding?: Padding,
): boolean {
  if (padding) return rescaleWithPadding(stored, out, slope, intercept, padding);
  if (!(out instanceof Int16Array)) {
    for (let p = 0; p < out.length; p++) out[p] = stored[p] * slope + intercept;
    return true;
  }
  if (isShiftInPlace(stored, out, slope, intercept)) return shiftInPlace(out, intercept);
  let low = 0;
  let high = 0;
  for (let p = 0; p < out.length; p++) {
    const value = stored[p] * slope + intercept;
    if (value < low) low = value;
    else if (value > high) high = value;
    out[p] = value;
  }
  return low >= INT16_MIN && high <= INT16_MAX;
}

/** The case of nearly all CT: unsigned 16 bits, slope 1, intercept -1024, in the very place of the result. */
function isShiftInPlace(stored: StoredArray, out: Int16Array, slope: number, intercept: number): boolean {
  const samePlace = stored.buffer === out.buffer && stored.byteOffset === out.byteOffset;
  const wholeWords = out.byteOffset % 4 === 0 && out.length % 2 === 0;
  return (
    stored instanceof Uint16Array && samePlace && wholeWords && slope === 1 && intercept <= 0 && intercept >= INT16_MIN
  );
}

/**
 * Two values per 32-bit word, added modulo 2^16 without a carry between them: twice as fast as one by one. While no
 * stored value has its highest bit, no result can overflow; else the results, from which the stored values can be had
 * back, are looked at one by one.
 */
function shiftInPlace(out: Int16Array, intercept: number): boolean {
  const words = new Int32Array(out.buffer, out.byteOffset, out.length / 2);
  const both = (intercept & 0xffff) | (intercept << 16);
  const bothLow = both & 0x7fff7fff;
  let seen = 0;
  for (let p = 0; p < words.length; p++) {
    const word = words[p];
    seen |= word;
    words[p] = ((word & 0x7fff7fff) + bothLow) ^ ((word ^ both) & 0x80008000);
  }
  if ((seen & 0x80008000) === 0) return true;
  const largest = INT16_MAX - intercept;
  for (let p = 0; p < out.length; p++) if (((out[p] - intercept) & 0xffff) > largest) return false;
  return true;
}

function rescaleWithPadding(
  stored: StoredArray,
  out: VolumeArray,
  slope: number,
  intercept: number,
  padding: Padding,
): boolean {
  const { low: from, high: to, value: filler } = padding;
  let low = 0;
  let high = 0;
  for (let p = 0; p < out.length; p++) {
    const s = stored[p];
    const value = s >= from && s <= to ? filler : s * slope + intercept;
    if (value < low) low = value;
    else if (value > high) high = value;
    out[p] = value;
  }
  return !(out instanceof Int16Array) || (low >= INT16_MIN && high <= INT16_MAX);
}

/**
 * Pixel Padding Value (0028,0120) and Range Limit (0028,0121). Their VR may contradict the pixels' sign (63536 for
 * -2000), so they are read as the stored values are.
 */
export function paddingOf(header: Dataset, bitsAllocated: number, signed: boolean, value: number): Padding | undefined {
  const first = header.number('PixelPaddingValue');
  if (first === undefined) return undefined;
  const asStored = (n: number) => {
    const range = 2 ** bitsAllocated;
    if (signed && n >= range / 2) return n - range;
    return !signed && n < 0 ? n + range : n;
  };
  const a = asStored(first);
  const b = asStored(header.number('PixelPaddingRangeLimit') ?? first);
  return { low: Math.min(a, b), high: Math.max(a, b), value };
}
