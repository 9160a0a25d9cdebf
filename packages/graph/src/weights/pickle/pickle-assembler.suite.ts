/** Pickles and archives for tests, put together instruction by instruction, free to lie. */
import type { ArchiveEntry } from '../pytorch-archive.js';

type Part = number | string | Uint8Array;

/** Numbers are bytes; texts are latin1. */
export function bytes(...parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string, 'latin1'))),
  );
}

export function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
}

export function uint64(value: number | bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

export const text = (value: string) => bytes('X', uint32(Buffer.byteLength(value)), Buffer.from(value));
export const int = (value: number) => bytes('J', uint32(value));
/** LONG1 with eight bytes. */
export const long = (value: bigint) => bytes(0x8a, 8, uint64(BigInt.asUintN(64, value)));
export const global = (module: string, name: string) => bytes('c', module, '\n', name, '\n');
export const tuple = (...items: Part[]) => bytes('(', ...items, 't');
export const list = (...items: Part[]) => bytes('](', ...items, 'e');
export const dict = (...pairs: Part[]) => bytes('}(', ...pairs, 'u');
export const call = (callee: Part, ...args: Part[]) => bytes(callee, tuple(...args), 'R');
export const pickle = (...body: Part[]) => bytes(0x80, 2, ...body, '.');
export const orderedDict = () => call(global('collections', 'OrderedDict'));

export function storageId(key = '0', elements = 4, type = 'FloatStorage', ...more: Part[]): Buffer {
  return bytes(tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(elements), ...more), 'Q');
}

export interface CraftedView {
  readonly storage?: Part;
  readonly offset?: Part;
  readonly size?: Part;
  readonly stride?: Part;
}

/** Four floats, unless told otherwise. */
export function tensor({ storage, offset, size, stride }: CraftedView = {}): Buffer {
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage ?? storageId(),
    offset ?? int(0),
    size ?? tuple(int(4)),
    stride ?? tuple(int(1)),
    0x89,
    orderedDict(),
  );
}

export const FOUR_FLOATS = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

/** Entries as the archive reader gives them. */
export function archive(
  dataPickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = { 0: FOUR_FLOATS },
  others: Readonly<Record<string, Uint8Array>> = {},
): ArchiveEntry[] {
  const files: [string, Uint8Array][] = [
    ['data.pkl', dataPickle],
    ...Object.entries(storages).map(([key, data]): [string, Uint8Array] => [`data/${key}`, data]),
    ...Object.entries(others),
  ];
  return files.map(([name, data]) => ({ name: `archive/${name}`, size: data.length, read: async () => data }));
}

/** The format before 1.6, with one storage of four floats. */
export function legacyFile(root: Uint8Array, tail: Uint8Array = bytes(uint64(4), FOUR_FLOATS), keys = ['0']): Buffer {
  const magic = Buffer.from('6cfc9c46f9206aa85019', 'hex');
  return bytes(
    pickle(0x8a, magic.length, magic),
    pickle('M', 0xe9, 0x03),
    pickle(dict(text('little_endian'), 0x88)),
    root,
    pickle(list(...keys.map(text))),
    tail,
  );
}
