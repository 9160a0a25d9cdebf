/** Views of storages: checked when they are named, made contiguous when they are read. */
import { ELEMENT_TYPES, type ElementType, elementsOf } from './element-type.js';
import type { WeightsLimits } from './limits.js';
import type { PyStorage, PyTensor, PyValue } from './pickle/values.js';
import { FETCH_AGAIN, WeightsError } from './weights-error.js';

/** `offset`, `shape` and `strides` in elements of `dtype`, from a file. Throws WeightsError `out-of-bounds` or `limit-exceeded`. */
export function tensorView(
  storage: PyStorage,
  dtype: ElementType,
  offset: PyValue | undefined,
  shape: readonly PyValue[],
  strides: readonly PyValue[],
  limits: WeightsLimits,
): PyTensor {
  if (shape.length !== strides.length || shape.length > limits.maximumRank)
    throw outside(`A tensor has ${shape.length} sides and ${strides.length} strides`);
  const sides = shape.map(naturalNumber);
  const steps = strides.map(naturalNumber);
  const first = naturalNumber(offset);
  const elements = elementsOf(sides);
  if (elements === undefined) throw outside('A tensor has more elements than any file could hold');
  const { bytes: itemBytes } = ELEMENT_TYPES[dtype];
  const last = first + sides.reduce((sum, side, axis) => sum + Math.max(side - 1, 0) * steps[axis], 0);
  if (elements > 0 && !(last + 1 <= storage.bytes / itemBytes))
    throw outside(`A tensor reaches to element ${last}; its storage has ${storage.bytes / itemBytes}`);
  const largest = Math.max(limits.expansionFloorBytes, storage.bytes * limits.maximumExpansion);
  if (elements * itemBytes > largest)
    throw new WeightsError('limit-exceeded', `A tensor of ${elements} elements stands on ${storage.bytes} bytes`, {
      next: 'Save the weights without expanded views: tensor.contiguous().',
    });
  return Object.freeze({ kind: 'tensor', storage, dtype, offset: first, shape: sides, strides: steps });
}

function naturalNumber(value: PyValue | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw outside(
      `A tensor has ${typeof value === 'number' || typeof value === 'bigint' ? value : 'no number'} as a side, stride or offset`,
    );
  return value;
}

function outside(message: string): WeightsError {
  return new WeightsError('out-of-bounds', message, { next: FETCH_AGAIN });
}

/** Bytes of all elements in C order. */
export function viewBytes(tensor: PyTensor): number {
  return (elementsOf(tensor.shape) ?? 0) * ELEMENT_TYPES[tensor.dtype].bytes;
}

/** The part of the storage that the view touches, in bytes from the start of the storage's file entry. */
export function viewRange(tensor: PyTensor): { readonly from: number; readonly bytes: number } {
  const { bytes } = ELEMENT_TYPES[tensor.dtype];
  if (tensor.shape.includes(0)) return { from: tensor.storage.from, bytes: 0 };
  const span = tensor.shape.reduce((sum, side, axis) => sum + (side - 1) * tensor.strides[axis], 1);
  return { from: tensor.storage.from + tensor.offset * bytes, bytes: span * bytes };
}

/** The same for two tensors exactly when they are the same view of the same bytes. */
export function viewKey(tensor: PyTensor): string {
  const { storage, dtype, offset, shape, strides } = tensor;
  return [storage.key, storage.from, dtype, offset, shape.join('x'), strides.join('x')].join('|');
}

/** Elements in C order out of the bytes of `viewRange`; the very same bytes when they are in order already. */
export function contiguous(tensor: PyTensor, bytes: Uint8Array): Uint8Array {
  const { bytes: itemBytes } = ELEMENT_TYPES[tensor.dtype];
  // Axes of one element do not move; what is left is packed when every stride is the product of the sides behind it.
  const axes = tensor.shape
    .map((side, axis) => ({ side, stride: tensor.strides[axis] }))
    .filter(({ side }) => side > 1);
  let packed = 1;
  let inOrder = true;
  for (const { side, stride } of axes.toReversed()) {
    inOrder &&= stride === packed;
    packed *= side;
  }
  if (inOrder || tensor.shape.includes(0)) return bytes;
  const result = new Uint8Array(packed * itemBytes);
  const index = new Array<number>(axes.length).fill(0);
  let from = 0;
  for (let to = 0; to < result.length; to += itemBytes) {
    for (let n = 0; n < itemBytes; n++) result[to + n] = bytes[from * itemBytes + n];
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += axes[axis].stride;
      if (++index[axis] < axes[axis].side) break;
      from -= axes[axis].side * axes[axis].stride;
      index[axis] = 0;
    }
  }
  return result;
}

/** Little-endian out of big-endian, in bytes of its own. */
export function swapped(bytes: Uint8Array, itemBytes: number): Uint8Array {
  if (itemBytes === 1) return bytes;
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += itemBytes)
    for (let n = 0; n < itemBytes; n++) result[at + n] = bytes[at + itemBytes - 1 - n];
  return result;
}
