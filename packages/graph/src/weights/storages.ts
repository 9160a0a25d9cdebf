/** The storages that a pickle names: what each promises is remembered, compared and checked against the file. */
import { ELEMENT_TYPES } from './element-type.js';
import { isKind, kindOf, type PyGlobal, type PyStorage, type PyValue } from './pickle/values.js';
import { SAVE_AS_STATE_DICT, shown, WeightsError } from './weights-error.js';

/** PyTorch counts them; older versions used the number of the object in memory. A key is never a path. */
const STORAGE_KEY = /^[A-Za-z0-9_]{1,64}$/;

export interface NamedStorage {
  readonly type: PyGlobal;
  readonly key: string;
  /** Bytes of the whole storage. */
  readonly bytes: number;
  /** What stands behind the number of elements (the legacy format's view). */
  readonly more: readonly PyValue[];
}

/**
 * `('storage', type, key, location, elements, …)`, torch/serialization.py. Throws WeightsError `bad-storage`, and when one
 * key is given two sizes: two readers would then see two different files.
 */
export class StorageTable {
  private readonly found = new Map<string, NamedStorage>();

  get storages(): ReadonlyMap<string, NamedStorage> {
    return this.found;
  }

  named(id: PyValue): NamedStorage {
    if (!isKind(id, 'tuple')) throw bad(`A persistent id is ${kindOf(id)}, not the tuple of a storage`);
    const [word, type, key, location, elements, ...more] = id.items;
    if (word !== 'storage') throw bad(`A persistent id stands for ${shown(String(word))}; only storages are read`);
    if (!isKind(type, 'global') || type.elements === undefined || type.call)
      throw bad(`A storage has the type ${isKind(type, 'global') ? type.name : kindOf(type)}`);
    if (typeof key !== 'string' || !STORAGE_KEY.test(key)) throw bad(`A storage has the key ${shown(String(key))}`);
    if (typeof location !== 'string' && location !== null) throw bad('A storage has no place');
    if (typeof elements !== 'number' || !Number.isSafeInteger(elements) || elements < 0)
      throw bad('A storage has no number of elements');
    const bytes = elements * (type.elements === 'untyped' ? 1 : ELEMENT_TYPES[type.elements].bytes);
    if (!Number.isSafeInteger(bytes)) throw bad(`A storage of ${elements} elements is impossible`);
    const storage: NamedStorage = { type, key, bytes, more };
    const before = this.found.get(key);
    if (before && (before.bytes !== bytes || before.type.elements !== type.elements))
      throw bad(`Storage ${key} is announced with ${before.bytes} and with ${bytes} bytes, or with two types`);
    if (!before) this.found.set(key, storage);
    return storage;
  }
}

export function wholeStorage({ type, key, bytes }: NamedStorage): PyStorage {
  return Object.freeze({ kind: 'storage', key, elements: type.elements ?? 'untyped', from: 0, bytes });
}

export function bad(message: string): WeightsError {
  return new WeightsError('bad-storage', message, { next: SAVE_AS_STATE_DICT });
}
