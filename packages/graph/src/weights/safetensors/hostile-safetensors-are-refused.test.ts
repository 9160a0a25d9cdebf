/** A safetensors header must describe every byte exactly once; everything else is refused by kind before bytes are read. */
import { describe, expect, it } from 'vitest';
import { tensorOf } from '../../tensor/tensor.js';
import { memoryAccess, type RandomAccess } from '../random-access.js';
import { WeightsError } from '../weights-error.js';
import { type WritableTensor, writable } from '../writable-tensor.js';
import { readSafetensors } from './read-safetensors.js';
import { writeSafetensors } from './write-safetensors.js';

function file(
  header: string | Uint8Array,
  data: Uint8Array = new Uint8Array(16),
  length?: number | bigint,
): Uint8Array {
  const text = Buffer.from(header);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(length ?? text.length));
  return Buffer.concat([head, text, data]);
}

async function failure(bytes: Uint8Array): Promise<WeightsError> {
  const error = await readSafetensors(memoryAccess(bytes)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WeightsError);
  expect((error as WeightsError).next).toBeTruthy();
  return error as WeightsError;
}

const entry = (name: string, shape: unknown, offsets: unknown, dtype: unknown = 'F32') =>
  `"${name}":{"dtype":${JSON.stringify(dtype)},"shape":${JSON.stringify(shape)},"data_offsets":${JSON.stringify(offsets)}}`;
const GOOD = entry('w', [4], [0, 16]);

describe('a header', () => {
  it.each<[string, Uint8Array, string]>([
    ['of two tensors that overlap', file(`{${entry('a', [3], [0, 12])},${entry('b', [2], [8, 16])}}`), 'bad-header'],
    [
      'of two tensors on the same bytes',
      file(`{${entry('a', [4], [0, 16])},${entry('b', [4], [0, 16])}}`),
      'bad-header',
    ],
    ['that leaves a hole', file(`{${entry('a', [1], [0, 4])},${entry('b', [1], [12, 16])}}`), 'bad-header'],
    ['that begins behind the first byte', file(`{${entry('a', [3], [4, 16])}}`), 'bad-header'],
    ['that ends before the last byte', file(`{${entry('a', [3], [0, 12])}}`), 'bad-header'],
    ['of a tensor past the end', file(`{${entry('a', [8], [0, 32])}}`), 'truncated'],
    ['of a tensor of terabytes', file(`{${entry('a', [2 ** 40], [0, 2 ** 42])}}`), 'truncated'],
    ['whose end stands before its start', file(`{${entry('a', [0], [8, 4])}}`), 'bad-header'],
    ['whose shape does not fill its bytes', file(`{${entry('a', [3], [0, 16])}}`), 'bad-header'],
    ['whose shape overflows', file(`{${entry('a', [2 ** 30, 2 ** 30], [0, 16])}}`), 'bad-header'],
    ['with a negative side', file(`{${entry('a', [-4], [0, 16])}}`), 'bad-header'],
    ['with a fraction', file(`{${entry('a', [1.5], [0, 16])}}`), 'bad-header'],
    ['with an exponent', file('{"a":{"dtype":"F32","shape":[4e0],"data_offsets":[0,16]}}'), 'bad-header'],
    [
      'with a number beyond all',
      file('{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,16]}}'),
      'bad-header',
    ],
    ['with a text as a side', file(`{${entry('a', ['4'], [0, 16])}}`), 'bad-header'],
    ['with three offsets', file(`{${entry('a', [4], [0, 8, 16])}}`), 'bad-header'],
    ['with a hundred sides', file(`{${entry('a', Array(100).fill(1), [0, 4])}}`), 'bad-header'],
    ['of an unknown type', file(`{${entry('a', [16], [0, 16], 'F8_E4M3')}}`), 'unsupported-dtype'],
    ['of the type of a prototype', file(`{${entry('a', [4], [0, 16], 'constructor')}}`), 'unsupported-dtype'],
    ['without a type', file('{"a":{"shape":[4],"data_offsets":[0,16]}}'), 'bad-header'],
    [
      'with fields that nobody knows',
      file(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"run":"x"}}`),
      'bad-header',
    ],
    ['with a key twice', file(`{${entry('a', [2], [0, 8])},${entry('a', [2], [8, 16])}}`), 'bad-header'],
    ['with a field twice', file('{"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}}'), 'bad-header'],
    [
      'with a key twice, once escaped',
      file(`{${entry('a', [2], [0, 8])},${entry('\\u0061', [2], [8, 16])}}`),
      'bad-header',
    ],
    ['with a prototype as a name', file(`{${entry('__proto__', [4], [0, 16])}}`), 'unsafe-name'],
    ['with a prototype in a name', file(`{${entry('a.constructor.b', [4], [0, 16])}}`), 'unsafe-name'],
    ['with an empty name', file(`{${entry('', [4], [0, 16])}}`), 'unsafe-name'],
    [
      'with a prototype in a description',
      file('{"a":{"__proto__":{"dtype":"F32"},"shape":[4],"data_offsets":[0,16]}}'),
      'bad-header',
    ],
    ['with metadata that are no texts', file(`{"__metadata__":{"x":1},${GOOD}}`), 'bad-header'],
    ['with metadata that are a list', file(`{"__metadata__":[],${GOOD}}`), 'bad-header'],
    ['that is a list', file('[]'), 'bad-header'],
    ['that is no JSON', file('{"a"'), 'bad-header'],
    ['that is not closed', file(`{${GOOD}`), 'bad-header'],
    ['with a comma too many', file(`{${GOOD},}`), 'bad-header'],
    ['with something behind it', file(`{${GOOD}} {}`), 'bad-header'],
    ['that is no UTF-8', file(Buffer.concat([Buffer.from('{"'), Buffer.of(0xff), Buffer.from('":1}')])), 'bad-header'],
    ['ten thousand objects deep', file('{"a":'.repeat(10_000)), 'bad-header'],
    ['ten thousand lists deep', file(`{"a":${'['.repeat(10_000)}`), 'bad-header'],
    ['longer than the file', file(`{${GOOD}}`, undefined, 10_000), 'truncated'],
    ['longer than the limit', file(`{${GOOD}}`, undefined, 2 ** 40), 'limit-exceeded'],
    ['longer than all numbers', file(`{${GOOD}}`, undefined, 2n ** 64n - 1n), 'limit-exceeded'],
    ['that is not there', Buffer.alloc(3), 'truncated'],
  ])('%s', async (_what, bytes, kind) => {
    expect((await failure(bytes)).kind).toBe(kind);
  });

  it('cut at any byte is refused', async () => {
    const whole = await writeSafetensors([
      writable('a', tensorOf('float32', [2, 2], [1, 2, 3, 4])),
      writable('b', tensorOf('bool', [3], [1, 0, 1])),
    ]);
    for (let length = 0; length < whole.length; length++)
      expect(['truncated', 'bad-header']).toContain((await failure(whole.subarray(0, length))).kind);
  });
});

it('a file is read by its header, and then by the bytes of the tensor that is asked for', async () => {
  const whole = await writeSafetensors([
    writable('a', tensorOf('float64', [1 << 16], new Float64Array(1 << 16))),
    writable('b', tensorOf('uint8', [3], [7, 8, 9])),
  ]);
  const reads: number[] = [];
  const memory = memoryAccess(whole);
  const watched: RandomAccess = {
    size: memory.size,
    read: (offset, length) => {
      reads.push(length);
      return memory.read(offset, length);
    },
  };
  const { tensors } = await readSafetensors(watched);
  expect(reads.reduce((sum, length) => sum + length, 0)).toBeLessThan(300);
  expect([...(await tensors[1].read())]).toEqual([7, 8, 9]);
  expect(reads.at(-1)).toBe(3);
});

describe('what is written', () => {
  const tensors = [
    writable('z', tensorOf('uint8', [3], [1, 2, 3])),
    writable('empty', tensorOf('float32', [0, 2], [])),
    writable('b', tensorOf('float64', [1], [Math.PI])),
    writable('a', tensorOf('float64', [], [-0])),
  ];

  it('is the same in every order, and reads as it was', async () => {
    const bytes = await writeSafetensors(
      tensors,
      new Map([
        ['b', '2'],
        ['a', '1'],
      ]),
    );
    const other = await writeSafetensors(
      [...tensors].reverse(),
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    expect(Buffer.from(bytes).equals(Buffer.from(other))).toBe(true);
    const checkpoint = await readSafetensors(memoryAccess(bytes));
    expect([...checkpoint.values]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect(checkpoint.tensors).toHaveLength(tensors.length);
    for (const tensor of tensors) {
      const found = checkpoint.tensors.find(({ name }) => name === tensor.name);
      expect([found?.dtype, found?.shape]).toEqual([tensor.dtype, tensor.shape]);
      expect(Buffer.from((await found?.read()) ?? [])).toEqual(Buffer.from(await tensor.read()));
    }
    expect(
      Buffer.from(await writeSafetensors(checkpoint.tensors, checkpoint.values as Map<string, string>)).equals(
        Buffer.from(bytes),
      ),
    ).toBe(true);
  });

  it.each<[string, WritableTensor[], string]>([
    ['two tensors of one name', [tensors[0], tensors[0]], 'duplicate-name'],
    ['the name of the metadata', [{ ...tensors[0], name: '__metadata__' }], 'duplicate-name'],
    ['a prototype as a name', [{ ...tensors[0], name: '__proto__' }], 'unsafe-name'],
    ['a shape that is none', [{ ...tensors[0], shape: [-3] }], 'out-of-bounds'],
    ['bytes that do not fill the shape', [{ ...tensors[0], shape: [4] }], 'out-of-bounds'],
  ])('is never %s', async (_what, wrong, kind) => {
    await expect(writeSafetensors(wrong)).rejects.toMatchObject({ kind });
  });
});
