/** .npy arrays: any rank, any of our number types, C order in memory (the last axis runs fastest). */
import type { VoxelArray } from '@isocenter/volume';
import { FormatError } from '../format-error.js';
import { decodeSamples, littleEndianBytes, type SampleType, sampleTypeOf } from '../voxels/sample-type.js';
import { MAX_VOXELS } from '../voxels/size-limits.js';
import { NPY_MAGIC, parseNpyHeader } from './npy-header.js';

export interface NpyArray {
  readonly kind: 'npy';
  /** Slowest axis first; empty for a single number. */
  readonly shape: readonly number[];
  /** C order; bool becomes Uint8Array, float16 Float32Array, 64-bit integers Int32Array or Float64Array (exact, or refused). */
  readonly data: VoxelArray;
}

/** NumPy's own limit of axes. */
const MAX_RANK = 64;

/** C-ordered data is a view on `bytes` where alignment allows. Throws FormatError. */
export function readNpy(bytes: Uint8Array): NpyArray {
  const { type, endian, fortranOrder, shape, dataOffset } = parseNpyHeader(bytes);
  const count = shape.reduce((product, n) => product * n, 1);
  if (shape.length > MAX_RANK || !(count <= MAX_VOXELS))
    throw new FormatError('too-large', `The array has ${shape.length} axes and ${count} elements`, {
      where: 'npy shape',
      next: `At most ${MAX_VOXELS} elements are allowed: save it in parts.`,
    });
  const data = decodeSamples(bytes.subarray(dataOffset), type, endian, count, 'npy data');
  return Object.freeze({ kind: 'npy', shape, data: fortranOrder && shape.length > 1 ? toCOrder(data, shape) : data });
}

/** Copies data whose first axis runs fastest so that the last one does. */
function toCOrder(data: VoxelArray, shape: readonly number[]): VoxelArray {
  const rank = shape.length;
  const out = new (data.constructor as new (length: number) => VoxelArray)(data.length);
  const strides = new Array<number>(rank).fill(1);
  for (let axis = 1; axis < rank; axis++) strides[axis] = strides[axis - 1] * shape[axis - 1];
  const index = new Array<number>(rank).fill(0);
  for (let to = 0, from = 0; to < out.length; to++) {
    out[to] = data[from];
    for (let axis = rank - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

const DESCR: Partial<Record<SampleType, string>> = {
  uint8: '|u1',
  int8: '|i1',
  uint16: '<u2',
  int16: '<i2',
  uint32: '<u4',
  int32: '<i4',
  float32: '<f4',
  float64: '<f8',
};

/** NumPy aligns the data to this. */
const ALIGNMENT = 64;
const FIXED_BYTES = 10;

/** Format 1.0, C order. Throws FormatError `invalid-value` when shape and data disagree. */
export function writeNpy(data: VoxelArray, shape: readonly number[]): Buffer {
  if (shape.some((n) => !Number.isInteger(n) || n < 0) || shape.reduce((product, n) => product * n, 1) !== data.length)
    throw new FormatError('invalid-value', `${data.length} elements do not fill the shape ${shape.join(' × ')}`, {
      where: 'npy shape',
      next: 'This is a fault of the caller: report it.',
    });
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${DESCR[sampleTypeOf(data)]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const total = Math.ceil((FIXED_BYTES + dict.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(total, ' ');
  NPY_MAGIC.copy(header);
  header[6] = 1;
  header[7] = 0;
  header.writeUInt16LE(total - FIXED_BYTES, 8);
  header.write(dict, FIXED_BYTES, 'latin1');
  header[total - 1] = 0x0a;
  return Buffer.concat([header, littleEndianBytes(data)]);
}
