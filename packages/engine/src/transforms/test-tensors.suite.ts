/** Test help: arrays as MONAI writes them, (C, i, j, k) with k fastest and RAS affines, to our tensors and back. */
import { type Affine, lpsToRas, type Size3 } from '@isocenter/volume';
import { TargetObject } from '../bundle/config/values.js';
import { makeTransform } from './table.js';
import { type ChannelTensor, makeTensor } from './tensor.js';
import type { Sample, SampleEntry } from './transform.js';

export const IDENTITY_RAS: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

export function fromMonai(
  values: ArrayLike<number>,
  channels: number,
  size: Size3,
  ras: Affine = IDENTITY_RAS,
  rank: 2 | 3 = 3,
): ChannelTensor {
  const data = new Float32Array(values.length);
  const [ni, nj, nk] = size;
  for (let c = 0, at = 0; c < channels; c++)
    for (let i = 0; i < ni; i++)
      for (let j = 0; j < nj; j++)
        for (let k = 0; k < nk; k++, at++) data[c * ni * nj * nk + i + ni * (j + nj * k)] = values[at];
  return makeTensor(data, channels, { size, affine: lpsToRas(ras) }, rank);
}

export function toMonai({ data, channels, size }: ChannelTensor): number[] {
  const [ni, nj, nk] = size;
  const out: number[] = [];
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < ni; i++)
      for (let j = 0; j < nj; j++)
        for (let k = 0; k < nk; k++) out.push(data[c * ni * nj * nk + i + ni * (j + nj * k)]);
  return out;
}

export const arange = (n: number): number[] => Array.from({ length: n }, (_, at) => at);

/** Repeatable numbers in 0 … 1. */
export function noise(n: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

export function sampleWith(key: string, tensor: ChannelTensor): Sample {
  return new Map([[key, { tensor: { ...tensor, data: tensor.data.slice() }, steps: [] }]]);
}

/** Applies transforms given as `[name, arguments]` to one entry. */
export function transformed(
  tensor: ChannelTensor,
  list: readonly (readonly [string, Record<string, unknown>])[],
  key = 'image',
): SampleEntry {
  const sample = sampleWith(key, tensor);
  for (const [name, args] of list)
    makeTransform(new TargetObject(name, { keys: key, ...args } as TargetObject['named']), {
      monaiBefore15: false,
    }).apply(sample, {});
  return sample.get(key) as SampleEntry;
}
