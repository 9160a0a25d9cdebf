/**
 * A state dict as `torch.save` writes it: a zip of stored entries, each aligned to 64 bytes by an extra field (so that
 * `torch.load(mmap=True)` works), with a pickle of protocol 2. The same tensors give the same bytes.
 */

import { type AlignedEntry, alignedZip } from './aligned-zip.js';
import { checkedName } from './checked-name.js';
import { ELEMENT_TYPES } from './element-type.js';
import { DEFAULT_WEIGHTS_LIMITS } from './limits.js';
import { pickledStateDict, type StoredTensor } from './pickle/write-pickle.js';
import { WeightsError } from './weights-error.js';
import { joined, type WritableTensor, writtenBytes } from './writable-tensor.js';

const ROOT = 'archive';
/** What PyTorch 1.6 and later write, and read. */
const FORMAT_VERSION = '3\n';

/** The file piece by piece, one tensor in memory at a time, in the order given. Throws WeightsError. */
export function stateDictChunks(tensors: readonly WritableTensor[]): AsyncGenerator<Uint8Array> {
  const keys = new Map<string, string>();
  const storages: AlignedEntry[] = [];
  const names = new Set<string>();
  const stored = tensors.map((tensor, index): StoredTensor => {
    const name = checkedName(tensor.name, DEFAULT_WEIGHTS_LIMITS);
    if (names.has(name)) throw new WeightsError('duplicate-name', 'Two tensors have one name', { where: name });
    names.add(name);
    const bytes = writtenBytes(tensor);
    const view = tensor.view ?? `own ${index}`;
    let key = keys.get(view);
    if (key === undefined) {
      key = String(keys.size);
      keys.set(view, key);
      storages.push({ name: `${ROOT}/data/${key}`, size: bytes, read: () => tensor.read() });
    }
    return { name, dtype: tensor.dtype, shape: tensor.shape, key, elements: bytes / ELEMENT_TYPES[tensor.dtype].bytes };
  });
  return alignedZip([
    entry(`${ROOT}/data.pkl`, pickledStateDict(stored)),
    entry(`${ROOT}/byteorder`, new TextEncoder().encode('little')),
    ...storages,
    entry(`${ROOT}/version`, new TextEncoder().encode(FORMAT_VERSION)),
  ]);
}

export function writeStateDict(tensors: readonly WritableTensor[]): Promise<Uint8Array> {
  return joined(stateDictChunks(tensors));
}

function entry(name: string, bytes: Uint8Array): AlignedEntry {
  return { name, size: bytes.length, read: async () => bytes };
}
