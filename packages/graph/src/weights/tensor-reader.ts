/** From views in a pickle to NamedTensors: how many bytes they may unfold to, and how each is read. */
import type { NamedTensor } from './checkpoint.js';
import { ELEMENT_TYPES } from './element-type.js';
import type { WeightsLimits } from './limits.js';
import type { FoundTensor } from './named-tensors.js';
import { contiguous, swapped, viewBytes, viewKey, viewRange } from './tensor-view.js';
import { WeightsError } from './weights-error.js';

export interface StorageBytes {
  /** Bytes `from … from + bytes` of one storage. */
  readonly read: (key: string, from: number, bytes: number) => Promise<Uint8Array>;
  readonly bigEndian: boolean;
}

/** Throws WeightsError `limit-exceeded` when overlapping views unfold to far more than the file holds. */
export function tensorsOf(found: readonly FoundTensor[], source: StorageBytes, limits: WeightsLimits): NamedTensor[] {
  const views = new Map<string, number>();
  const storages = new Map<string, number>();
  const tensors = found.map(({ name, path, tensor }): NamedTensor => {
    const view = viewKey(tensor);
    const bytes = viewBytes(tensor);
    views.set(view, bytes);
    storages.set(`${tensor.storage.key}|${tensor.storage.from}`, tensor.storage.bytes);
    const { from, bytes: touched } = viewRange(tensor);
    const read = async () => {
      const ordered = contiguous(tensor, await source.read(tensor.storage.key, from, touched));
      return source.bigEndian ? swapped(ordered, ELEMENT_TYPES[tensor.dtype].bytes) : ordered;
    };
    return Object.freeze({ name, path, dtype: tensor.dtype, shape: tensor.shape, bytes, view, read });
  });
  const unfolded = sum(views.values());
  const present = sum(storages.values());
  if (unfolded > Math.max(limits.expansionFloorBytes, present * limits.maximumExpansion))
    throw new WeightsError('limit-exceeded', `The tensors unfold to ${unfolded} bytes; the file holds ${present}`, {
      next: 'Save the weights without overlapping views: tensor.contiguous().clone().',
    });
  return tensors;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
