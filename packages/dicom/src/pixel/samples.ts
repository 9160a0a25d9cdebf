/** Bytes of one decoded frame to stored values: bit unpacking, masking and sign extension, planes, 4:2:2, alignment. */
import { DicomError } from '../dataset/errors.js';
import type { PixelDescription } from './description.js';

export type SampleArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** An array that holds `length` stored values of this image. */
export function sampleArray(description: PixelDescription, length: number): SampleArray {
  if (description.kind === 'float32') return new Float32Array(length);
  if (description.kind === 'float64') return new Float64Array(length);
  const signed = description.pixelRepresentation === 1;
  if (description.bitsAllocated <= 8) return signed ? new Int8Array(length) : new Uint8Array(length);
  if (description.bitsAllocated === 16) return signed ? new Int16Array(length) : new Uint16Array(length);
  return signed ? new Int32Array(length) : new Uint32Array(length);
}

/** View on little-endian sample bytes, copied only where they are not aligned. */
function viewOf(description: PixelDescription, bytes: Uint8Array): SampleArray {
  const size = Math.max(1, description.bitsAllocated / 8);
  // Not slice(): that of a Buffer copies nothing.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  const length = Math.floor(bytes.length / size);
  if (description.kind === 'float32') return new Float32Array(buffer, byteOffset, length);
  if (description.kind === 'float64') return new Float64Array(buffer, byteOffset, length);
  const signed = description.pixelRepresentation === 1;
  if (size === 1)
    return signed ? new Int8Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length);
  if (size === 2)
    return signed ? new Int16Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
  return signed ? new Int32Array(buffer, byteOffset, length) : new Uint32Array(buffer, byteOffset, length);
}

/**
 * Puts the stored values of one frame into `target` from `offset`. `bits` of each sample below `highBit` count; what lies
 * above (overlays in old files, rubbish) is masked, the sign extended. Full-width samples are one memory copy.
 */
export function storeSamples(
  description: PixelDescription,
  bytes: Uint8Array,
  bits: number,
  highBit: number,
  target: SampleArray,
  offset: number,
): void {
  const { bitsAllocated, kind } = description;
  const fullWidth = kind !== 'integer' || bits >= bitsAllocated || bitsAllocated === 1;
  const size = Math.max(1, bitsAllocated / 8);
  if (fullWidth && target.BYTES_PER_ELEMENT === size && isFloat(target) === (kind !== 'integer')) {
    new Uint8Array(target.buffer, target.byteOffset + offset * size, bytes.length).set(bytes);
    return;
  }
  const { length: byteLength } = bytes;
  if (size === 2 && target.BYTES_PER_ELEMENT === 2 && description.pixelRepresentation === 0 && highBit === bits - 1) {
    new Uint8Array(target.buffer, target.byteOffset + offset * size, byteLength).set(bytes);
    maskWords(target.buffer, target.byteOffset + offset * size, byteLength >> 1, 0xffff >> (16 - bits));
    return;
  }
  const source = viewOf(description, bytes);
  if (fullWidth) {
    target.set(source, offset);
    return;
  }
  const left = 31 - highBit;
  const right = 32 - bits;
  const { length } = source;
  if (description.pixelRepresentation === 1)
    for (let i = 0; i < length; i++) target[offset + i] = ((source[i] as number) << left) >> right;
  else for (let i = 0; i < length; i++) target[offset + i] = ((source[i] as number) << left) >>> right;
}

/**
 * Keeps the bits of `mask` in `count` 16-bit values at `byteOffset`, two values per operation: the case of nearly all CT (12
 * bits stored in 16), where masking one by one cost more than inflating the file on a second core.
 */
function maskWords(buffer: ArrayBufferLike, byteOffset: number, count: number, mask: number): void {
  const halves = new Uint16Array(buffer, byteOffset, count);
  const first = byteOffset % 4 === 0 ? 0 : 1;
  const words = new Int32Array(buffer, byteOffset + 2 * first, Math.max(0, count - first) >> 1);
  const both = mask | (mask << 16);
  for (let w = 0; w < words.length; w++) words[w] &= both;
  if (first === 1 && count > 0) halves[0] &= mask;
  if ((count - first) % 2 === 1) halves[count - 1] &= mask;
}

function isFloat(target: SampleArray): boolean {
  return target instanceof Float32Array || target instanceof Float64Array;
}

/** `count` one-bit pixels from bit `firstBit` on, lowest bit of each byte first (PS3.5 8.1.1), one byte each. */
export function unpackBits(bytes: Uint8Array, firstBit: number, count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let i = 0, bit = firstBit; i < count; i++, bit++) out[i] = ((bytes[bit >> 3] as number) >> (bit & 7)) & 1;
  return out;
}

/** The inverse of unpackBits: any value but zero is a one. */
export function packBits(pixels: ArrayLike<number>, out: Uint8Array, firstBit: number): void {
  for (let i = 0, bit = firstBit; i < pixels.length; i++, bit++)
    if (pixels[i] !== 0) out[bit >> 3] = (out[bit >> 3] as number) | (1 << (bit & 7));
}

/** Colour by plane to colour by pixel, for samples of `size` bytes. */
export function interleave(planes: Uint8Array, samples: number, size: number): Uint8Array {
  const out = new Uint8Array(planes.length);
  const pixels = planes.length / samples / size;
  for (let sample = 0, from = 0; sample < samples; sample++)
    for (let pixel = 0; pixel < pixels; pixel++)
      for (let byte = 0; byte < size; byte++) out[(pixel * samples + sample) * size + byte] = planes[from++] as number;
  return out;
}

/** Uncompressed YBR_FULL_422 (PS3.3 C.7.6.3.1.2: Y Y Cb Cr for two pixels) to one chroma pair per pixel. */
export function expand422(bytes: Uint8Array, description: PixelDescription): Uint8Array {
  if (description.columns % 2 !== 0 || description.bitsAllocated !== 8)
    throw new DicomError('unsupported-pixels', `${description.photometric} with odd Columns or more than 8 bits.`, {
      where: 'PhotometricInterpretation',
    });
  const pixels = description.rows * description.columns;
  const out = new Uint8Array(pixels * 3);
  for (let from = 0, to = 0; to < out.length; from += 4, to += 6) {
    out[to] = bytes[from] as number;
    out[to + 3] = bytes[from + 1] as number;
    out[to + 1] = bytes[from + 2] as number;
    out[to + 4] = bytes[from + 2] as number;
    out[to + 2] = bytes[from + 3] as number;
    out[to + 5] = bytes[from + 3] as number;
  }
  return out;
}
