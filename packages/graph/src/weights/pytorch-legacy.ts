/**
 * PyTorch's format before 1.6: pickles one after another (magic, protocol, system, object, storage keys), then for each
 * key a 64-bit count and the elements. Bytes are little-endian whatever machine wrote them: torch/csrc/serialization.cpp
 * swaps on the way out, and its `little_endian` word in the system pickle is never read.
 */
import type { Checkpoint } from './checkpoint.js';
import { ELEMENT_TYPES } from './element-type.js';
import { DEFAULT_WEIGHTS_LIMITS, type WeightsLimits } from './limits.js';
import { namedTensors } from './named-tensors.js';
import { allowedGlobals } from './pickle/allowed-globals.js';
import { type PickleResult, readPickle } from './pickle/read-pickle.js';
import type { PickleRules } from './pickle/refusal.js';
import { isKind, type PyStorage, type PyValue } from './pickle/values.js';
import type { ReadWeightsOptions } from './pytorch-archive.js';
import type { RandomAccess } from './random-access.js';
import { requireTensors } from './require-tensors.js';
import { bad, type NamedStorage, StorageTable, wholeStorage } from './storages.js';
import { tensorsOf } from './tensor-reader.js';
import { FETCH_AGAIN, SAVE_AS_STATE_DICT, WeightsError } from './weights-error.js';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** First read; the pickles of most files end within it. */
const FIRST_WINDOW = 1024 * 1024;
const COUNT_BYTES = 8;

/** Throws WeightsError. Names and shapes are read now, bytes later. */
export async function readPyTorchLegacy(file: RandomAccess, options: ReadWeightsOptions = {}): Promise<Checkpoint> {
  const limits = { ...DEFAULT_WEIGHTS_LIMITS, ...options.limits };
  const { root, keys, table, end } = await readPickles(file, options.refusals ?? 'throw', limits);
  const places = await placeStorages(file, end, keys, table);
  const found = namedTensors(root.value, limits);
  for (const { tensor } of found.tensors)
    if (!places.has(tensor.storage.key)) throw bad(`Storage ${tensor.storage.key} is not in the file`);
  const read = (key: string, from: number, bytes: number) => file.read((places.get(key) ?? 0) + from, bytes);
  const tensors = tensorsOf(found.tensors, { read, bigEndian: false }, limits);
  return requireTensors({
    format: 'pytorch-legacy',
    tensors,
    constants: [],
    values: found.values,
    refused: root.refused,
  });
}

interface Pickles {
  readonly root: PickleResult;
  readonly keys: readonly string[];
  readonly table: StorageTable;
  readonly end: number;
}

/** Pickles do not say how long they are: with a window too small they end early, and a larger one is taken. */
async function readPickles(file: RandomAccess, refusals: 'throw' | 'list', limits: WeightsLimits): Promise<Pickles> {
  for (let window = FIRST_WINDOW; ; window *= 4) {
    const bytes = await file.read(0, Math.min(window, file.size, limits.maximumPickleBytes));
    try {
      return pickles(bytes, refusals, limits);
    } catch (error) {
      const short = error instanceof WeightsError && error.kind === 'truncated' && bytes.byteLength < file.size;
      if (!short) throw error;
      if (bytes.byteLength >= limits.maximumPickleBytes)
        throw new WeightsError('limit-exceeded', `The pickles have more than ${bytes.byteLength} bytes`, {
          next: SAVE_AS_STATE_DICT,
        });
    }
  }
}

function pickles(bytes: Uint8Array, refusals: 'throw' | 'list', limits: WeightsLimits): Pickles {
  const table = new StorageTable();
  const find = allowedGlobals(limits, false);
  const rules: PickleRules = { find, persistent: (id) => storageOf(id, table), refusals, limits };
  const magic = readPickle(bytes, 0, { ...rules, refusals: 'throw' });
  if (magic.value !== MAGIC)
    throw new WeightsError('unsupported-format', 'The file is a pickle, but none of PyTorch', {
      next: SAVE_AS_STATE_DICT,
    });
  const protocol = readPickle(bytes, magic.end, rules);
  if (protocol.value !== PROTOCOL)
    throw new WeightsError('unsupported-format', 'The file is of an unknown protocol of PyTorch', {
      next: SAVE_AS_STATE_DICT,
    });
  const system = readPickle(bytes, protocol.end, rules);
  const root = readPickle(bytes, system.end, rules);
  const keys = readPickle(bytes, root.end, rules);
  if (!isKind(keys.value, 'list') || !keys.value.items.every((key) => typeof key === 'string'))
    throw bad('The list of storages is none');
  return { root, keys: keys.value.items as string[], table, end: keys.end };
}

/** `(…, None)` or `(…, (view key, offset, elements))`: a view is a part of its storage. */
function storageOf(id: PyValue, table: StorageTable): PyStorage {
  const storage = table.named(id);
  const whole = wholeStorage(storage);
  const [view, ...more] = storage.more;
  if (more.length > 0) throw bad('A storage has more parts than any version of PyTorch wrote');
  if (view === undefined || view === null) return whole;
  const [key, offset, elements] = isKind(view, 'tuple') && view.items.length === 3 ? view.items : [];
  if (typeof key !== 'string' || !isNatural(offset) || !isNatural(elements)) throw bad('A view of a storage is none');
  const from = offset * itemBytes(storage);
  const bytes = elements * itemBytes(storage);
  if (from + bytes > storage.bytes) throw bad('A view reaches past the end of its storage');
  return Object.freeze({ ...whole, from, bytes });
}

function isNatural(value: PyValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function itemBytes({ type }: NamedStorage): number {
  return type.elements === undefined || type.elements === 'untyped' ? 1 : ELEMENT_TYPES[type.elements].bytes;
}

/** Where the bytes of each storage begin. Nothing is read but the counts, and each is compared with what was announced. */
async function placeStorages(file: RandomAccess, start: number, keys: readonly string[], table: StorageTable) {
  const places = new Map<string, number>();
  let at = start;
  for (const key of keys) {
    const storage = table.storages.get(key);
    if (!storage || places.has(key)) throw bad('The list of storages does not fit the pickle');
    if (at + COUNT_BYTES + storage.bytes > file.size)
      throw new WeightsError('truncated', `Storage ${key} has ${storage.bytes} bytes, which are not there`, {
        offset: at,
        next: FETCH_AGAIN,
      });
    const head = await file.read(at, COUNT_BYTES);
    const count = new DataView(head.buffer, head.byteOffset).getBigInt64(0, true);
    if (count * BigInt(itemBytes(storage)) !== BigInt(storage.bytes))
      throw bad(`Storage ${key} is announced with ${storage.bytes} bytes and counts ${count} elements`);
    places.set(key, at + COUNT_BYTES);
    at += COUNT_BYTES + storage.bytes;
  }
  return places;
}
