/** What the writers take: a NamedTensor of a reader is one, and so is a tensor in memory. */
import type { Tensor } from '../tensor/tensor.js';
import { bytesOf } from '../tensor/tensor.js';
import { ELEMENT_TYPES, type ElementType, elementsOf } from './element-type.js';
import { WeightsError } from './weights-error.js';

export interface WritableTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Equal views are written once where the format can share (`.pt`); left out: shared with nobody. */
  readonly view?: string;
  /** All elements, little-endian, C order. */
  read(): Promise<Uint8Array>;
}

export function writable(name: string, tensor: Tensor): WritableTensor {
  return Object.freeze({ name, dtype: tensor.dtype, shape: tensor.shape, read: async () => bytesOf(tensor) });
}

/** Throws WeightsError `out-of-bounds` for a shape that is none. */
export function writtenBytes({ name, dtype, shape }: WritableTensor): number {
  const elements = elementsOf(shape);
  if (elements === undefined) throw new WeightsError('out-of-bounds', 'The shape of a tensor is none', { where: name });
  return elements * ELEMENT_TYPES[dtype].bytes;
}

export async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
