/** Sizes, offsets, nesting and repetition that a file claims are checked against what is there and a named limit. */
import { describe, expect, it } from 'vitest';
import { tensorOf } from '../tensor/tensor.js';
import { DEFAULT_WEIGHTS_LIMITS } from './limits.js';
import * as a from './pickle/pickle-assembler.suite.js';
import { type ArchiveEntry, readPyTorchArchive } from './pytorch-archive.js';
import { readPyTorchLegacy } from './pytorch-legacy.js';
import { fileAccess, memoryAccess, type RandomAccess } from './random-access.js';
import { readBytes } from './read-file.suite.js';
import { WeightsError } from './weights-error.js';
import { writable } from './writable-tensor.js';
import { writeStateDict } from './write-state-dict.js';

const read = (body: Uint8Array, storages?: Record<string, Uint8Array>) =>
  readPyTorchArchive(a.archive(a.pickle(body), storages));
const one = (body: Uint8Array) => a.dict(a.text('t'), body);

async function kindOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WeightsError);
  expect((error as WeightsError).next).toBeTruthy();
  return (error as WeightsError).kind;
}

const HUGE = a.long(2n ** 53n);
const NEGATIVE = a.int(-1);

describe('a view', () => {
  it.each<[string, a.CraftedView]>([
    ['past the end', { size: a.tuple(a.int(5)) }],
    ['past the end by its offset', { offset: a.int(1) }],
    ['past the end by its stride', { size: a.tuple(a.int(2)), stride: a.tuple(a.int(4)) }],
    ['with an offset before the start', { offset: NEGATIVE }],
    ['with a negative stride', { stride: a.tuple(NEGATIVE), offset: a.int(3) }],
    ['with a negative side', { size: a.tuple(NEGATIVE) }],
    ['with an offset beyond all numbers', { offset: HUGE }],
    ['with a stride beyond all numbers', { size: a.tuple(a.int(2)), stride: a.tuple(HUGE) }],
    ['whose sides overflow', { size: a.tuple(a.int(2 ** 30), a.int(2 ** 30)), stride: a.tuple(a.int(0), a.int(0)) }],
    [
      'whose sides overflow beside a zero stride',
      { size: a.tuple(a.long(2n ** 52n), a.int(4)), stride: a.tuple(a.int(0), a.int(1)) },
    ],
    ['with more sides than strides', { size: a.tuple(a.int(2), a.int(2)) }],
    [
      'with a hundred sides',
      { size: a.tuple(...Array(100).fill(a.int(1))), stride: a.tuple(...Array(100).fill(a.int(1))) },
    ],
    ['with a text as a side', { size: a.tuple(a.text('4')) }],
    ['with a fraction as a side', { size: a.tuple(a.bytes('G', Buffer.from('3ff8000000000000', 'hex'))) }],
  ])('%s is out of bounds', async (_what, view) => {
    expect(await kindOf(read(one(a.tensor(view))))).toBe('out-of-bounds');
  });

  it('that would unfold 16 bytes to terabytes is refused before anything is made', async () => {
    const bomb = a.tensor({ size: a.tuple(a.int(2 ** 30), a.int(1024)), stride: a.tuple(a.int(0), a.int(0)) });
    expect(await kindOf(read(one(bomb)))).toBe('limit-exceeded');
  });

  it('and forty of them, each within the limit, are refused too', async () => {
    const views = Array.from({ length: 40 }, (_, n) => [
      a.text(`v${n}`),
      a.tensor({ size: a.tuple(a.int((1 << 22) - n)), stride: a.tuple(a.int(0)) }),
    ]).flat();
    expect(await kindOf(read(a.dict(...views)))).toBe('limit-exceeded');
  });

  it('of nothing is empty, and its sides are numbers all the same', async () => {
    const beyond = a.tensor({ size: a.tuple(a.int(0), HUGE), stride: a.tuple(a.int(1), a.int(1)) });
    expect(await kindOf(read(one(beyond)))).toBe('out-of-bounds');
    const empty = await read(one(a.tensor({ size: a.tuple(a.int(0), a.int(3)), stride: a.tuple(a.int(3), a.int(1)) })));
    expect(await empty.tensors[0].read()).toHaveLength(0);
  });
});

describe('a storage', () => {
  it.each<[string, Uint8Array, string]>([
    ['larger than its entry', a.storageId('0', 5), 'bad-storage'],
    ['smaller than its entry', a.storageId('0', 3), 'bad-storage'],
    ['of two thousand million elements', a.storageId('0', 2 ** 31 - 1), 'bad-storage'],
    ['of a negative number', a.storageId('0', -1), 'bad-storage'],
    ['that is not there', a.storageId('7'), 'missing-entry'],
    ['outside its folder', a.storageId('../version'), 'bad-storage'],
    ['at an absolute place', a.storageId('/etc/passwd'), 'bad-storage'],
    ['with a zero in its name', a.storageId('0\0'), 'bad-storage'],
    ['named like a prototype', a.storageId('__proto__'), 'missing-entry'],
    [
      'of a type that is a function',
      a.bytes(a.tuple(a.text('storage'), a.global('torch', 'Size'), a.text('0'), a.text('cpu'), a.int(4)), 'Q'),
      'bad-storage',
    ],
    [
      'that is a module',
      a.bytes(a.tuple(a.text('module'), a.text('x'), a.text('y'), a.text('import os')), 'Q'),
      'bad-storage',
    ],
    ['that is a text', a.bytes(a.text('storage'), 'Q'), 'bad-storage'],
    [
      'with a view in an archive',
      a.storageId('0', 4, 'FloatStorage', a.tuple(a.text('v'), a.int(0), a.int(4))),
      'bad-storage',
    ],
  ])('%s is refused', async (_what, storage, kind) => {
    expect(await kindOf(read(one(a.tensor({ storage }))))).toBe(kind);
  });

  it('is not two things at once', async () => {
    const twice = a.dict(
      a.text('a'),
      a.tensor(),
      a.text('b'),
      a.tensor({ storage: a.storageId('0', 2, 'DoubleStorage'), size: a.tuple(a.int(2)) }),
    );
    expect(await kindOf(read(twice))).toBe('bad-storage');
  });

  it('that gives fewer bytes than its entry said is noticed when it is read', async () => {
    const entries = a
      .archive(a.pickle(one(a.tensor())))
      .map((entry) => (entry.name.endsWith('/0') ? { ...entry, read: async () => new Uint8Array(3) } : entry));
    const { tensors } = await readPyTorchArchive(entries);
    expect(await kindOf(tensors[0].read())).toBe('truncated');
  });

  it('of a big-endian machine is turned', async () => {
    const swapped = Buffer.from(a.FOUR_FLOATS).swap32();
    const entries = a.archive(a.pickle(one(a.tensor())), { 0: swapped }, { byteorder: a.bytes('big') });
    const { tensors } = await readPyTorchArchive(entries);
    expect(Buffer.from(await tensors[0].read())).toEqual(Buffer.from(a.FOUR_FLOATS));
    const odd = a.archive(a.pickle(one(a.tensor())), { 0: swapped }, { byteorder: a.bytes('middle') });
    expect(await kindOf(readPyTorchArchive(odd))).toBe('corrupt');
  });
});

describe('repetition and nesting', () => {
  it('a billion laughs of lists end at a limit', async () => {
    let body = a.bytes(a.list(a.tensor()), 'q', 0);
    for (let level = 1; level <= 12; level++)
      body = a.bytes(body, '0', '](', ...Array.from({ length: 10 }, () => a.bytes('h', level - 1)), 'e', 'q', level);
    expect(await kindOf(read(body))).toBe('limit-exceeded');
  });

  it('the same without tensors, in dicts', async () => {
    let body = a.bytes(a.dict(a.text('k'), a.int(1)), 'q', 0);
    for (let level = 1; level <= 12; level++)
      body = a.bytes(
        body,
        '0',
        '}(',
        ...Array.from({ length: 10 }, (_, n) => a.bytes(a.int(n), 'h', level - 1)),
        'u',
        'q',
        level,
      );
    expect(await kindOf(read(body))).toBe('limit-exceeded');
  });

  it('a list that holds itself, and a dict that holds itself', async () => {
    expect(await kindOf(read(a.bytes(']q', 0, 'h', 0, 'a')))).toBe('limit-exceeded');
    expect(await kindOf(read(a.bytes('}q', 0, a.text('k'), 'h', 0, 's')))).toBe('limit-exceeded');
  });

  it('tuples ten thousand deep, and marks ten thousand deep', async () => {
    expect(await kindOf(read(a.bytes(')', Buffer.alloc(10_000, 0x85))))).toBe('limit-exceeded');
    expect(await kindOf(read(a.bytes(Buffer.alloc(10_000, '('))))).toBe('limit-exceeded');
  });

  it('more objects, and more instructions, than any file of weights has', async () => {
    const objects = a.bytes('(', Buffer.alloc(DEFAULT_WEIGHTS_LIMITS.maximumObjects + 1, ']'), 't');
    expect(await kindOf(read(objects))).toBe('limit-exceeded');
    const numbers = a.bytes('(', Buffer.alloc(DEFAULT_WEIGHTS_LIMITS.maximumOpcodes, 'N'), 't');
    expect(await kindOf(read(numbers))).toBe('limit-exceeded');
  });

  it('a pickle larger than the limit is not even read', async () => {
    const entry: ArchiveEntry = {
      name: 'archive/data.pkl',
      size: 2 ** 40,
      read: () => Promise.reject(new Error('read')),
    };
    expect(await kindOf(readPyTorchArchive([entry]))).toBe('limit-exceeded');
  });

  it('one name for two tensors, in the two ways in which a number is a name', async () => {
    expect(await kindOf(read(a.dict(a.int(1), a.tensor(), a.text('1'), a.tensor())))).toBe('duplicate-name');
    const dotted = a.dict(a.text('a.b'), a.tensor(), a.text('a'), a.dict(a.text('b'), a.tensor()));
    expect(await kindOf(read(dotted))).toBe('duplicate-name');
  });

  it.each(['__proto__', 'a.constructor.b', 'prototype', '', 'line\nbreak', 'x'.repeat(5000)])(
    'the name %j',
    async (name) => {
      expect(await kindOf(read(a.dict(a.text(name), a.tensor())))).toBe('unsafe-name');
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
    },
  );
});

describe('the operands of instructions', () => {
  it.each<[string, Uint8Array, string]>([
    ['a text of 4 GB', a.bytes('X', a.uint32(0xffffffff), 'ab'), 'truncated'],
    ['a text of 2^63 bytes', a.bytes(0x8d, a.uint64(2n ** 63n)), 'corrupt'],
    ['bytes of 2^40', a.bytes(0x8e, a.uint64(2 ** 40)), 'truncated'],
    ['a negative length', a.bytes('T', a.uint32(-5)), 'corrupt'],
    ['a number of a million bytes', a.bytes(0x8b, a.uint32(1e6), Buffer.alloc(1e6)), 'corrupt'],
    ['a decimal number of a million digits', a.bytes('L', '9'.repeat(1e6), 'L\n'), 'corrupt'],
    ['a line without an end', a.bytes('cos'), 'truncated'],
    ['a name of a megabyte', a.bytes('c', 'x'.repeat(1e6), '\n', 'y\n'), 'corrupt'],
    ['a frame longer than the file', a.bytes(0x95, a.uint64(2 ** 50)), 'truncated'],
    ['a memo that is empty', a.bytes('j', a.uint32(0xffffffff)), 'corrupt'],
    ['more than the stack holds', a.bytes('R'), 'corrupt'],
    ['a mark that is not there', a.bytes('t'), 'corrupt'],
    ['a key without a value', a.bytes('}(', a.text('k'), 'u'), 'corrupt'],
    ['work left open', a.bytes('(', a.int(1)), 'corrupt'],
    ['nothing', a.bytes(), 'corrupt'],
    ['a protocol of the future', a.bytes(0x80, 9, 'N'), 'unsupported-format'],
  ])('%s', async (_what, body, kind) => {
    expect(await kindOf(read(body))).toBe(kind);
  });

  it('a memo of four thousand million places takes the room of one', async () => {
    const { tensors } = await read(a.bytes(one(a.tensor()), 'r', a.uint32(0xffffffff)));
    expect(tensors).toHaveLength(1);
  });
});

describe('an archive', () => {
  it('with two entries of one name shows neither', async () => {
    const entries = a.archive(a.pickle(one(a.tensor())));
    expect(await kindOf(readPyTorchArchive([...entries, entries[1]]))).toBe('duplicate-name');
  });

  it('with no pickle, or with two, is no checkpoint', async () => {
    const entries = a.archive(a.pickle(one(a.tensor())));
    expect(await kindOf(readPyTorchArchive(entries.slice(1)))).toBe('unsupported-format');
    expect(await kindOf(readPyTorchArchive([...entries, { ...entries[0], name: 'other/data.pkl' }]))).toBe(
      'unsupported-format',
    );
  });

  it('whose storage stands in its own directory, or on another storage, is refused by the archive reader', async () => {
    const zip = Buffer.from(
      await writeStateDict([
        writable('a', tensorOf('float32', [4], [1, 2, 3, 4])),
        writable('b', tensorOf('float32', [4], [5, 6, 7, 8])),
      ]),
    );
    const end = zip.length - 22;
    const directory = zip.readUInt32LE(end + 16);
    const headers: number[] = [];
    for (
      let at = zip.indexOf('PK\x01\x02', directory, 'latin1');
      at >= 0;
      at = zip.indexOf('PK\x01\x02', at + 4, 'latin1')
    )
      headers.push(at);
    const storage = headers[2];
    expect(zip.toString('latin1', storage + 46, storage + 60)).toBe('archive/data/0');
    for (const offset of [directory, headers[1], zip.readUInt32LE(headers[3] + 42), 2 ** 31]) {
      const forged = Buffer.from(zip);
      forged.writeUInt32LE(offset, storage + 42);
      await expect(readBytes(forged)).rejects.toMatchObject({ name: 'ArchiveError' });
    }
    const larger = Buffer.from(zip);
    larger.writeUInt32LE(4096, storage + 20);
    larger.writeUInt32LE(4096, storage + 24);
    await expect(readBytes(larger)).rejects.toMatchObject({ name: 'ArchiveError' });
  });
});

describe('the format before 1.6', () => {
  const root = a.pickle(one(a.tensor()));

  it.each<[string, Uint8Array, string]>([
    ['a count beyond the file', a.legacyFile(root, a.bytes(a.uint64(2 ** 40), a.FOUR_FLOATS)), 'bad-storage'],
    ['a negative count', a.legacyFile(root, a.bytes(a.uint64(2n ** 64n - 4n), a.FOUR_FLOATS)), 'bad-storage'],
    ['bytes that are not there', a.legacyFile(root, a.bytes(a.uint64(4), new Uint8Array(15))), 'truncated'],
    ['a key that nothing names', a.legacyFile(root, undefined, ['9']), 'bad-storage'],
    [
      'a key twice',
      a.legacyFile(root, a.bytes(a.uint64(4), a.FOUR_FLOATS, a.uint64(4), a.FOUR_FLOATS), ['0', '0']),
      'bad-storage',
    ],
    ['a storage that is left out', a.legacyFile(root, undefined, []), 'bad-storage'],
    [
      'a storage of 8 GB in a file of bytes',
      a.legacyFile(a.pickle(one(a.tensor({ storage: a.storageId('0', 2 ** 31 - 1) })))),
      'truncated',
    ],
    [
      'a view past its storage',
      a.legacyFile(
        a.pickle(
          one(a.tensor({ storage: a.storageId('0', 4, 'FloatStorage', a.tuple(a.text('v'), a.int(2), a.int(4))) })),
        ),
      ),
      'bad-storage',
    ],
  ])('%s', async (_what, file, kind) => {
    expect(await kindOf(readPyTorchLegacy(memoryAccess(file)))).toBe(kind);
  });

  it('views of its storages are read at their place', async () => {
    const storage = a.storageId('0', 4, 'FloatStorage', a.tuple(a.text('v'), a.int(1), a.int(3)));
    const file = a.legacyFile(a.pickle(one(a.tensor({ storage, size: a.tuple(a.int(2)), offset: a.int(1) }))));
    const { tensors } = await readPyTorchLegacy(memoryAccess(file));
    expect(Buffer.from(await tensors[0].read())).toEqual(Buffer.from(a.FOUR_FLOATS.subarray(8, 16)));
  });

  it('pickles longer than the first window are read in a larger one', async () => {
    const names = Array.from({ length: 400 }, (_, n) => [a.text(`${n}${'x'.repeat(4000)}`), a.tensor()]).flat();
    const { tensors } = await readPyTorchLegacy(memoryAccess(a.legacyFile(a.pickle(a.dict(...names)))));
    expect(tensors).toHaveLength(400);
  });
});

describe('reading', () => {
  it('takes only the pickles, and then only the bytes of the tensor that is asked for', async () => {
    const file = a.legacyFile(
      a.pickle(one(a.tensor({ size: a.tuple(a.int(2)), offset: a.int(2) }))),
      a.bytes(a.uint64(4), a.FOUR_FLOATS, Buffer.alloc(3 << 20)),
    );
    const reads: number[] = [];
    const memory = memoryAccess(file);
    const watched: RandomAccess = {
      size: memory.size,
      read: (offset, length) => {
        reads.push(length);
        return memory.read(offset, length);
      },
    };
    const { tensors } = await readPyTorchLegacy(watched);
    expect(reads).toEqual([1 << 20, 8]);
    await tensors[0].read();
    expect(reads.slice(2)).toEqual([8]);
  });

  it('of a file that became shorter says so', async () => {
    const access = fileAccess({ read: async () => ({ bytesRead: 0 }) }, 100);
    expect(await kindOf(access.read(0, 10))).toBe('truncated');
    expect(await kindOf(access.read(95, 10))).toBe('truncated');
    expect(await kindOf(memoryAccess(new Uint8Array(4)).read(-1, 2))).toBe('truncated');
  });
});
