/**
 * PyTorch's zip format (torch 1.6 and later) and TorchScript's, from the entries of an archive: `<root>/data.pkl` with
 * names and shapes, `<root>/data/<key>` with bytes. Zips are opened by @isocenter/formats alone (DESIGN §7): its sources
 * are ArchiveEntries as they are. Code in the archive is never read.
 */
import type { Checkpoint, NamedTensor } from './checkpoint.js';
import { DEFAULT_WEIGHTS_LIMITS, type WeightsLimits } from './limits.js';
import { namedTensors } from './named-tensors.js';
import { allowedGlobals } from './pickle/allowed-globals.js';
import { readPickle } from './pickle/read-pickle.js';
import type { Refusal } from './pickle/refusal.js';
import { requireTensors } from './require-tensors.js';
import { bad, StorageTable, wholeStorage } from './storages.js';
import { tensorsOf } from './tensor-reader.js';
import { FETCH_AGAIN, SAVE_AS_STATE_DICT, shown, WeightsError } from './weights-error.js';

/** @port One entry of an archive; `ByteSource` of @isocenter/formats is one. */
export interface ArchiveEntry {
  readonly name: string;
  /** Unpacked. */
  readonly size: number;
  /** All bytes, checked against the archive's checksum. */
  read(): Promise<Uint8Array>;
}

export interface ReadWeightsOptions {
  /**
   * What happens to a checkpoint that mentions classes which are not on the allow-list: `throw` (default) refuses it;
   * `list` reads the tensors around them and lists the names. Neither runs anything.
   */
  readonly refusals?: 'throw' | 'list';
  readonly limits?: Partial<WeightsLimits>;
}

/** Throws WeightsError, and what the entries throw. Names and shapes are read now, bytes later. */
export async function readPyTorchArchive(
  entries: readonly ArchiveEntry[],
  options: ReadWeightsOptions = {},
): Promise<Checkpoint> {
  const limits = { ...DEFAULT_WEIGHTS_LIMITS, ...options.limits };
  const byName = uniqueEntries(entries);
  const root = rootOf(byName);
  const constants = byName.get(`${root}constants.pkl`);
  const find = allowedGlobals(limits, constants !== undefined);
  const bigEndian = await isBigEndian(byName.get(`${root}byteorder`));
  const refused: Refusal[] = [];

  const readPart = async (pickle: ArchiveEntry, folder: string) => {
    if (pickle.size > limits.maximumPickleBytes)
      throw new WeightsError('limit-exceeded', `The pickle has ${pickle.size} bytes`, {
        where: shown(pickle.name),
        next: `At most ${limits.maximumPickleBytes} are allowed. ${SAVE_AS_STATE_DICT}`,
      });
    const table = new StorageTable();
    const result = readPickle(await pickle.read(), 0, {
      find,
      persistent: (id) => {
        const storage = table.named(id);
        if (storage.more.some((value) => value !== null)) throw bad('A storage of an archive has no views');
        const entry = byName.get(`${root}${folder}/${storage.key}`);
        if (!entry) throw missing(`${folder}/${storage.key}`);
        if (entry.size !== storage.bytes)
          throw bad(`Storage ${storage.key} is announced with ${storage.bytes} bytes and has ${entry.size}`);
        return wholeStorage(storage);
      },
      refusals: options.refusals ?? 'throw',
      limits,
    });
    refused.push(...result.refused);
    const found = namedTensors(result.value, limits);
    const read = entryReader((key) => byName.get(`${root}${folder}/${key}`) ?? missingEntry(`${folder}/${key}`));
    return { tensors: tensorsOf(found.tensors, { read, bigEndian }, limits), values: found.values };
  };

  const data = await readPart(byName.get(`${root}data.pkl`) ?? missingEntry('data.pkl'), 'data');
  const fixed: readonly NamedTensor[] = constants ? (await readPart(constants, 'constants')).tensors : [];
  return requireTensors({ format: constants ? 'torchscript' : 'pytorch-zip', ...data, constants: fixed, refused });
}

function uniqueEntries(entries: readonly ArchiveEntry[]): ReadonlyMap<string, ArchiveEntry> {
  const byName = new Map<string, ArchiveEntry>();
  for (const entry of entries) {
    if (byName.has(entry.name))
      throw new WeightsError('duplicate-name', 'The archive has two entries of one name', {
        where: shown(entry.name),
        next: 'Do not trust this archive: two readers would see two different files. Save the weights again.',
      });
    byName.set(entry.name, entry);
  }
  return byName;
}

/** PyTorch puts everything into one folder, named after the file or `archive`. */
function rootOf(entries: ReadonlyMap<string, ArchiveEntry>): string {
  const roots = [...entries.keys()].flatMap((name) => {
    const [, root] = /^([^/]*\/)?data\.pkl$/.exec(name) ?? [];
    return /^([^/]*\/)?data\.pkl$/.test(name) ? [root ?? ''] : [];
  });
  if (roots.length === 1) return roots[0];
  const what = roots.length === 0 ? 'no data.pkl' : `${roots.length} files data.pkl`;
  throw new WeightsError('unsupported-format', `The archive has ${what}: it is no checkpoint of PyTorch`, {
    next: SAVE_AS_STATE_DICT,
  });
}

/** `little` or `big`. */
const LONGEST_BYTE_ORDER = 16;

async function isBigEndian(entry: ArchiveEntry | undefined): Promise<boolean> {
  if (!entry) return false;
  const word = entry.size <= LONGEST_BYTE_ORDER ? new TextDecoder().decode(await entry.read()).trim() : '';
  if (word !== 'little' && word !== 'big')
    throw new WeightsError('corrupt', 'The byte order of the archive is unknown', {
      where: 'byteorder',
      next: FETCH_AGAIN,
    });
  return word === 'big';
}

/** Many small tensors may be views of one large storage: that entry stays, so that it is not read for each of them. */
function entryReader(find: (key: string) => ArchiveEntry) {
  let last: { readonly key: string; readonly bytes: Uint8Array } | undefined;
  return async (key: string, from: number, count: number): Promise<Uint8Array> => {
    if (count === 0) return new Uint8Array(0);
    const entry = find(key);
    const bytes = last?.key === key ? last.bytes : await entry.read();
    if (bytes.byteLength !== entry.size)
      throw new WeightsError('truncated', `An entry gives ${bytes.byteLength} of its ${entry.size} bytes`, {
        where: shown(entry.name),
        next: FETCH_AGAIN,
      });
    last = count < entry.size ? { key, bytes } : undefined;
    return bytes.subarray(from, from + count);
  };
}

function missing(name: string): WeightsError {
  return new WeightsError('missing-entry', `The archive has no ${name}, which its pickle names`, { next: FETCH_AGAIN });
}

function missingEntry(name: string): never {
  throw missing(name);
}
