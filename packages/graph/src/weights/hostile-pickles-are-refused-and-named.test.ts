/** A pickle is a program (GHSA-89gg-p5r5-q6r4, CVE-2025-32434): whatever it wants to call is named, and nothing runs. */
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from './checkpoint.js';
import * as a from './pickle/pickle-assembler.suite.js';
import { type ReadWeightsOptions, readPyTorchArchive } from './pytorch-archive.js';
import { readBytes } from './read-file.suite.js';
import { WeightsError } from './weights-error.js';

const MARK = join(tmpdir(), `isocenter-hostile-pickle-${process.pid}`);
afterAll(() => rmSync(MARK, { force: true }));

const read = (pickle: Uint8Array, options?: ReadWeightsOptions) => readPyTorchArchive(a.archive(pickle), options);

async function failure(work: Promise<Checkpoint>): Promise<WeightsError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WeightsError);
  expect((error as WeightsError).next, 'names a next step').toBeTruthy();
  return error as WeightsError;
}

const PROGRAMS: [string, string][] = [
  ['os', 'system'],
  ['posix', 'system'],
  ['nt', 'system'],
  ['subprocess', 'Popen'],
  ['subprocess', 'check_output'],
  ['builtins', 'eval'],
  ['builtins', 'exec'],
  ['__builtin__', 'eval'],
  ['builtins', 'getattr'],
  ['builtins', '__import__'],
  ['importlib', 'import_module'],
  ['runpy', '_run_code'],
  ['functools', 'partial'],
  ['operator', 'attrgetter'],
  ['pickle', 'loads'],
  ['_codecs', 'decode'],
  ['numpy', 'load'],
  ['numpy.testing._private.utils', 'runstring'],
  ['torch', 'load'],
  ['torch.hub', 'load'],
  ['torch._inductor.codecache', 'compile_file'],
  ['torch.nn.modules.module', 'Module'],
  ['torch._utils', '_rebuild_tensor_v2.__globals__'],
  ['torch', 'FloatStorage.__reduce__'],
  ['collections', 'OrderedDict.__init__.__globals__'],
  ['__torch__', 'Net'],
  ['', ''],
  ['__proto__', 'constructor'],
  ['constructor', 'prototype'],
];

describe.each(PROGRAMS)('%s.%s', (module, name) => {
  const command = a.text(`touch ${MARK}`);
  const full = `${module}.${name}`;
  const ways: [string, Uint8Array, string][] = [
    ['called', a.call(a.global(module, name), command), 'GLOBAL'],
    ['named from the stack', a.bytes(a.text(module), a.text(name), 0x93, a.tuple(command), 'R'), 'STACK_GLOBAL'],
    ['as an instance', a.bytes('(', command, 'i', module, '\n', name, '\n'), 'INST'],
    ['as an object', a.bytes('(', a.global(module, name), command, 'o'), 'GLOBAL'],
    ['made new', a.bytes(a.global(module, name), a.tuple(command), 0x81), 'GLOBAL'],
    ['only mentioned', a.global(module, name), 'GLOBAL'],
  ];

  it.each(ways)('%s is refused by name, in every kind of file', async (_how, body, opcode) => {
    const checkpoint = a.dict(a.text('weight'), a.tensor(), a.text('x'), body);
    for (const work of [
      read(a.pickle(body)),
      read(a.pickle(checkpoint)),
      readBytes(a.pickle(body)),
      readBytes(a.legacyFile(a.pickle(checkpoint))),
    ])
      expect(await failure(work)).toMatchObject({ kind: 'refused-global', refused: full, opcode });
    expect(existsSync(MARK)).toBe(false);
  });

  it('can be left out: the tensors beside it are read, and it is listed', async () => {
    for (const [, body] of ways) {
      const checkpoint = a.pickle(a.dict(a.text('weight'), a.tensor(), a.text('x'), body, a.text('epoch'), a.int(3)));
      for (const work of [
        read(checkpoint, { refusals: 'list' }),
        readBytes(a.legacyFile(checkpoint), { refusals: 'list' }),
      ]) {
        const { tensors, values, refused } = await work;
        expect(tensors.map((tensor) => tensor.name)).toEqual(['weight']);
        expect(Buffer.from(await tensors[0].read())).toEqual(Buffer.from(a.FOUR_FLOATS));
        expect(values.get('epoch')).toBe(3);
        expect(refused).toEqual([{ refused: full, offset: expect.any(Number) }]);
      }
    }
    expect(existsSync(MARK)).toBe(false);
  });

  it('does not make weights of nothing', async () => {
    const error = await failure(read(a.pickle(ways[0][1]), { refusals: 'list' }));
    expect(error).toMatchObject({ kind: 'refused-global', refused: full });
  });
});

describe('a chain of calls', () => {
  it('ends at its first name', async () => {
    const getattr = a.call(
      a.global('builtins', 'getattr'),
      a.global('torch._utils', '_rebuild_tensor_v2'),
      a.text('__globals__'),
    );
    const system = a.call(a.global('operator', 'getitem'), getattr, a.text('os'));
    expect(await failure(read(a.pickle(a.call(system, a.text('id')))))).toMatchObject({ refused: 'operator.getitem' });
    const { refused } = await read(
      a.pickle(a.dict(a.text('t'), a.tensor(), a.text('x'), a.call(system, a.text('id')))),
      {
        refusals: 'list',
      },
    );
    expect(refused.map((entry) => entry.refused)).toEqual(['operator.getitem', 'builtins.getattr']);
  });

  it('is followed nowhere by what stands in its place', async () => {
    const opaque = a.call(a.global('a', 'b'));
    const everything = a.bytes(
      opaque,
      a.dict(a.text('k'), a.int(1)),
      'b',
      '(',
      a.text('x'),
      a.int(1),
      'u',
      '(',
      a.int(1),
      'e',
      a.tuple(),
      0x81,
    );
    const { tensors } = await read(a.pickle(a.dict(a.text('t'), a.tensor(), a.text('x'), everything)), {
      refusals: 'list',
    });
    expect(tensors).toHaveLength(1);
    const asArgument = a.pickle(a.dict(a.text('t'), a.tensor({ storage: opaque })));
    expect((await failure(read(asArgument, { refusals: 'list' }))).kind).toBe('bad-arguments');
  });
});

describe('names on the list', () => {
  const rebuild = a.global('torch._utils', '_rebuild_tensor_v2');
  const size = a.tuple(a.int(4));
  const step = a.tuple(a.int(1));
  it.each<[string, Uint8Array]>([
    ['a tensor of nothing', a.call(rebuild)],
    ['a tensor without a storage', a.call(rebuild, a.text('0'), a.int(0), size, step, 0x89, a.orderedDict())],
    ['a tensor of a tensor', a.call(rebuild, a.tensor(), a.int(0), size, step, 0x89, a.orderedDict())],
    [
      'a tensor of a class',
      a.call(rebuild, a.global('torch', 'FloatStorage'), a.int(0), size, step, 0x89, a.orderedDict()),
    ],
    ['a tensor with a list as its size', a.tensor({ size: a.list(a.int(4)) })],
    [
      'a tensor with hooks that are no dict',
      a.call(rebuild, a.storageId(), a.int(0), size, step, 0x89, a.text('hook')),
    ],
    ['a tensor with ten arguments', a.call(rebuild, a.storageId(), ...Array.from({ length: 9 }, () => a.int(0)))],
    [
      'a parameter of a text',
      a.call(a.global('torch._utils', '_rebuild_parameter'), a.text('x'), 0x89, a.orderedDict()),
    ],
    ['an ordered dict of a text', a.call(a.global('collections', 'OrderedDict'), a.text('x'))],
    ['an ordered dict of odd pairs', a.call(a.global('collections', 'OrderedDict'), a.list(a.tuple(a.int(1))))],
    ['a made ordered dict with arguments', a.bytes(a.global('collections', 'OrderedDict'), a.tuple(a.int(1)), 0x81)],
    ['a size of a number', a.call(a.global('torch', 'Size'), a.int(3))],
    ['a device of a dict', a.call(a.global('torch', 'device'), a.dict())],
    ['a dtype of numpy that is a program', a.call(a.global('numpy', 'dtype'), a.text('__import__("os")'))],
    [
      'a scalar of numpy without bytes',
      a.call(a.global('numpy.core.multiarray', 'scalar'), a.call(a.global('numpy', 'dtype'), a.text('f8')), a.int(1)),
    ],
    [
      'a scalar of numpy with too few bytes',
      a.call(
        a.global('numpy.core.multiarray', 'scalar'),
        a.call(a.global('numpy', 'dtype'), a.text('f8')),
        a.bytes('C', 1, 0),
      ),
    ],
    [
      'a scalar of objects',
      a.call(
        a.global('numpy.core.multiarray', 'scalar'),
        a.call(a.global('numpy', 'dtype'), a.text('O8')),
        a.bytes('C', 8, '        '),
      ),
    ],
    [
      'an array of another class',
      a.call(a.global('numpy.core.multiarray', '_reconstruct'), a.global('torch', 'Size'), a.tuple(), a.text('b')),
    ],
    ['an encoding that is not latin1', a.call(a.global('_codecs', 'encode'), a.text('x'), a.text('rot13'))],
    [
      'an encoding of what latin1 has not',
      a.call(a.global('_codecs', 'encode'), a.text('\u{1f600}'), a.text('latin1')),
    ],
    ['named arguments', a.bytes(a.global('collections', 'OrderedDict'), ')', a.dict(a.text('k'), a.int(1)), 0x92)],
    ['arguments that are no tuple', a.bytes(a.global('collections', 'OrderedDict'), a.list(), 'R')],
  ])('make no %s', async (_what, body) => {
    const pickle = a.pickle(a.dict(a.text('t'), a.tensor(), a.text('x'), body));
    expect((await failure(read(pickle))).kind).toBe('bad-arguments');
    expect((await failure(read(pickle, { refusals: 'list' }))).kind).toBe('bad-arguments');
  });

  it.each<[string, Uint8Array]>([
    ['a class of storages is called', a.call(a.global('torch', 'FloatStorage'), a.int(4))],
    ['a dtype is called', a.call(a.global('torch', 'float32'))],
    ['an array is called', a.call(a.global('numpy', 'ndarray'), a.tuple(a.int(4)))],
    ['a number is called', a.call(a.int(3))],
    ['a text is called', a.call(a.text('eval'), a.text('1'))],
    ['a tensor is called', a.call(a.tensor())],
    ['a function is made new', a.bytes(a.global('torch._utils', '_rebuild_tensor_v2'), ')', 0x81)],
    [
      'a function gets a state',
      a.bytes(a.global('torch._utils', '_rebuild_tensor_v2'), a.dict(a.text('__globals__'), a.dict()), 'b'),
    ],
    [
      'a class gets a state',
      a.bytes(a.global('collections', 'OrderedDict'), a.dict(a.text('__init__'), a.int(1)), 'b'),
    ],
    ['a tensor gets a __setstate__', a.bytes(a.tensor(), a.dict(a.text('__setstate__'), a.int(1)), 'b')],
    ['a dict gets a __dict__', a.bytes(a.dict(), a.dict(a.text('__class__'), a.int(1)), 'b')],
    ['a list gets a state', a.bytes(a.list(), a.tuple(0x4e, a.dict()), 'b')],
    ['an ordered dict gets slots', a.bytes(a.orderedDict(), a.tuple(0x4e, a.dict(a.text('x'), a.int(1))), 'b')],
    ['a class gets items', a.bytes(a.global('collections', 'OrderedDict'), '(', a.text('k'), a.int(1), 'u')],
    ['a tensor gets items', a.bytes(a.tensor(), '(', a.int(1), 'e')],
    ['a tuple is appended to', a.bytes(a.tuple(), a.int(1), 'a')],
    ['a number becomes a set', a.bytes(a.int(1), '(', a.int(1), 0x90)],
  ])('do nothing else: %s', async (_what, body) => {
    const pickle = a.pickle(a.dict(a.text('t'), a.tensor(), a.text('x'), body));
    expect((await failure(read(pickle))).kind).toBe('refused-object');
  });
});

it('an ordered dict may carry attributes, which are left out', async () => {
  const state = a.bytes(
    a.orderedDict(),
    '(',
    a.text('w'),
    a.tensor(),
    'u',
    a.dict(a.text('_metadata'), a.orderedDict()),
    'b',
  );
  expect((await read(a.pickle(state))).tensors.map(({ name }) => name)).toEqual(['w']);
});

describe('instructions that no weights need', () => {
  it.each<[string, Uint8Array]>([
    ['EXT1', a.bytes(0x82, 1)],
    ['EXT2', a.bytes(0x83, 1, 0)],
    ['EXT4', a.bytes(0x84, 1, 0, 0, 0)],
    ['PERSID', a.bytes('Pstorage\n')],
    ['NEXT_BUFFER', a.bytes(0x97)],
    ['READONLY_BUFFER', a.bytes(a.int(1), 0x98)],
  ])('%s is refused with its place, also where refusals are listed', async (opcode, body) => {
    for (const refusals of ['throw', 'list'] as const)
      expect(await failure(read(a.pickle(body), { refusals }))).toMatchObject({ kind: 'refused-opcode', opcode });
  });

  it('an unknown byte is damage', async () => {
    expect(await failure(read(a.bytes(0x80, 2, 0xff)))).toMatchObject({ kind: 'corrupt', offset: 2 });
  });
});

describe('TorchScript', () => {
  const entries = (body: Uint8Array) =>
    a.archive(
      a.pickle(body),
      { 0: a.FOUR_FLOATS },
      { 'constants.pkl': a.pickle(a.tuple()), 'code/__torch__.py': a.bytes('import os') },
    );
  const instance = (state: Uint8Array) => a.bytes(a.global('__torch__.deep', 'Net'), ')', 0x81, state, 'b');

  it('gives the attributes of its objects; code is not opened', async () => {
    const parts = entries(
      instance(a.dict(a.text('conv'), instance(a.dict(a.text('weight'), a.tensor())), a.text('training'), 0x89)),
    );
    const opened: string[] = [];
    const watched = parts.map((entry) => ({
      ...entry,
      read: () => {
        opened.push(entry.name);
        return entry.read();
      },
    }));
    const checkpoint = await readPyTorchArchive(watched);
    expect(checkpoint.format).toBe('torchscript');
    expect(checkpoint.tensors.map(({ name }) => name)).toEqual(['conv.weight']);
    await checkpoint.tensors[0].read();
    expect(opened.filter((name) => name.includes('code'))).toEqual([]);
  });

  it.each<[string, Uint8Array, string]>([
    ['a class outside its own names', a.global('os', 'system'), 'refused-global'],
    ['a name that only looks like one of its own', a.global('__torch__.a b', 'c'), 'refused-global'],
    ['a class that is called', a.call(a.global('__torch__', 'Net'), a.text('id')), 'refused-object'],
    ['an object made with arguments', a.bytes(a.global('__torch__', 'Net'), a.tuple(a.int(1)), 0x81), 'bad-arguments'],
    ['a list made of a text', a.call(a.global('torch.jit._pickle', 'build_intlist'), a.text('x')), 'bad-arguments'],
  ])('refuses %s', async (_what, body, kind) => {
    expect((await failure(readPyTorchArchive(entries(body)))).kind).toBe(kind);
  });
});

it('a pickle of something else is told from weights', async () => {
  expect((await failure(readBytes(a.pickle(a.dict())))).kind).toBe('unsupported-format');
  expect((await failure(read(a.pickle(a.dict())))).kind).toBe('not-found');
  await expect(readBytes(a.bytes('just some text, long enough to be looked at'))).rejects.toMatchObject({
    kind: 'unsupported-format',
  });
});
