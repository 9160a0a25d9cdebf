/** The number types that image files hold, and how their bytes become typed arrays: without a copy wherever possible. */
import { endianness } from 'node:os';
import type { VoxelArray } from '@isocenter/volume';
import { FormatError } from '../format-error.js';

export type SampleType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64';

export type Endian = 'little' | 'big';

const HOST: Endian = endianness() === 'LE' ? 'little' : 'big';

export const SAMPLE_BYTES: Readonly<Record<SampleType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  uint64: 8,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

export function sampleTypeOf(data: VoxelArray): SampleType {
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint16Array) return 'uint16';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Uint32Array) return 'uint32';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Float32Array ? 'float32' : 'float64';
}

/**
 * `count` samples from the start of `bytes`. Host-endian, aligned data is a view on `bytes`, everything else a copy.
 * 64-bit integers become Int32Array when all fit, else Float64Array when all are exact, else FormatError
 * `unsupported-datatype`; float16 becomes Float32Array. Throws FormatError `truncated` before anything is allocated.
 */
export function decodeSamples(
  bytes: Uint8Array,
  type: SampleType,
  endian: Endian,
  count: number,
  where: string,
): VoxelArray {
  const width = SAMPLE_BYTES[type];
  if (!Number.isSafeInteger(count) || count * width > bytes.byteLength)
    throw new FormatError(
      'truncated',
      `${count} samples of ${width} bytes are announced, ${bytes.byteLength} bytes are there`,
      {
        where,
        next: 'The file is cut short: copy or export it again.',
      },
    );
  const native = hostOrder(bytes.subarray(0, count * width), width, endian);
  const { buffer, byteOffset } = native;
  switch (type) {
    case 'uint8':
      return new Uint8Array(buffer, byteOffset, count);
    case 'int8':
      return new Int8Array(buffer, byteOffset, count);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'int16':
      return new Int16Array(buffer, byteOffset, count);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'int32':
      return new Int32Array(buffer, byteOffset, count);
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return new Float64Array(buffer, byteOffset, count);
    case 'float16':
      return fromHalf(new Uint16Array(buffer, byteOffset, count));
    case 'int64':
      return narrow(new BigInt64Array(buffer, byteOffset, count), where);
    case 'uint64':
      return narrow(new BigUint64Array(buffer, byteOffset, count), where);
  }
}

/** Bytes in host order, aligned to `width`; a copy only if needed, so the caller's bytes are never changed. */
function hostOrder(bytes: Uint8Array, width: number, endian: Endian): Uint8Array {
  const swap = width > 1 && endian !== HOST;
  if (!swap && bytes.byteOffset % width === 0) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  if (!swap) return copy;
  if (width === 2) return copy.swap16();
  return width === 4 ? copy.swap32() : copy.swap64();
}

/** The bytes of `data` in little-endian order; a view where the host is little-endian. */
export function littleEndianBytes(data: VoxelArray): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return hostOrder(bytes, HOST === 'little' ? 1 : data.BYTES_PER_ELEMENT, 'little');
}

const INT32_MIN = -(2n ** 31n);
const INT32_MAX = 2n ** 31n - 1n;

function narrow(wide: BigInt64Array | BigUint64Array, where: string): VoxelArray {
  let low = 0n;
  let high = 0n;
  for (const value of wide) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high > BigInt(Number.MAX_SAFE_INTEGER) || low < BigInt(Number.MIN_SAFE_INTEGER))
    throw new FormatError('unsupported-datatype', '64-bit values that no 64-bit float can hold exactly', {
      where,
      next: 'Save the image with a smaller integer type.',
    });
  const data = low >= INT32_MIN && high <= INT32_MAX ? new Int32Array(wide.length) : new Float64Array(wide.length);
  for (let i = 0; i < wide.length; i++) data[i] = Number(wide[i]);
  return data;
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function fromHalf(halves: Uint16Array): Float32Array {
  const data = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    let value: number;
    if (exponent === 0) value = fraction * 2 ** -24;
    else if (exponent === 31) value = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    else value = (1 + fraction / 1024) * 2 ** (exponent - 15);
    data[i] = half & 0x8000 ? -value : value;
  }
  return data;
}

/** `slope · x + intercept` in double precision; Float32Array where 24 bits hold the input, else Float64Array. */
export function rescale(data: VoxelArray, slope: number, intercept: number): Float32Array | Float64Array {
  const wide = data instanceof Int32Array || data instanceof Uint32Array || data instanceof Float64Array;
  const scaled = wide ? new Float64Array(data.length) : new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) scaled[i] = data[i] * slope + intercept;
  return scaled;
}

/** Channel `channel` of data whose channels are interleaved (the fastest axis), as its own array of the same type. */
export function deinterleave<Data extends VoxelArray>(data: Data, channels: number, channel: number): Data {
  const voxels = data.length / channels;
  const out = new (data.constructor as new (length: number) => Data)(voxels);
  for (let i = 0, from = channel; i < voxels; i++, from += channels) out[i] = data[from];
  return out;
}
