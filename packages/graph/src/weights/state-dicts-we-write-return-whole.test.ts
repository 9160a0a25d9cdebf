/** A `.pt` of ours reads back as it was, is the same file every time, and lies in the zip as PyTorch wants it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { tensorOf } from '../tensor/tensor.js';
import { ELEMENT_TYPES, type ElementType } from './element-type.js';
import { readBytes } from './read-file.suite.js';
import { type WritableTensor, writable } from './writable-tensor.js';
import { writeStateDict } from './write-state-dict.js';

const every = (Object.keys(ELEMENT_TYPES) as ElementType[]).map((dtype, n): WritableTensor => {
  const bytes = Uint8Array.from({ length: 6 * ELEMENT_TYPES[dtype].bytes }, (_, at) =>
    dtype === 'bool' ? at % 2 : at + n,
  );
  return { name: `layer.${dtype}`, dtype, shape: [2, 1, 3], read: async () => bytes };
});
const others = [
  writable('empty', tensorOf('float32', [0, 3], [])),
  writable('scalar', tensorOf('float64', [], [2.5])),
  { ...every[0], name: 'one', view: 'shared' },
  { ...every[0], name: 'same', view: 'shared' },
];
const tensors = [...every, ...others];

it('every type, empty tensors, scalars and shared weights', async () => {
  const checkpoint = await readBytes(await writeStateDict(tensors));
  expect(checkpoint.format).toBe('pytorch-zip');
  expect(checkpoint.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(
    tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] })),
  );
  for (const [n, tensor] of checkpoint.tensors.entries())
    expect(Buffer.from(await tensor.read()), tensor.name).toEqual(Buffer.from(await tensors[n].read()));
  const [one, same] = checkpoint.tensors.slice(-2);
  expect(one.view).toBe(same.view);
  expect(new Set(checkpoint.tensors.map(({ view }) => view)).size).toBe(tensors.length - 1);
});

it('the same tensors give the same bytes, also after reading; these bytes PyTorch 2.15 has loaded', async () => {
  const first = await writeStateDict(tensors);
  const again = await writeStateDict((await readBytes(first)).tensors);
  expect(Buffer.from(again).equals(Buffer.from(first))).toBe(true);
  expect(createHash('sha256').update(first).digest('hex')).toBe(
    'db12c425e17411371bb733132a077fa1054cd315754bfd53d8d56bff9c989acf',
  );
});

it('each storage begins at a multiple of 64 bytes, stored and not packed', async () => {
  const zip = Buffer.from(await writeStateDict(tensors));
  let entries = 0;
  for (let at = 0; zip.readUInt32LE(at) === 0x04034b50; entries++) {
    const data = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
    expect([zip.readUInt16LE(at + 8), data % 64]).toEqual([0, 0]);
    at = data + zip.readUInt32LE(at + 18);
  }
  // Pickle, byte order and version; of the tensors two share one entry.
  expect(entries).toBe(tensors.length - 1 + 3);
});

it.each<[string, WritableTensor[], string]>([
  ['two tensors of one name', [every[0], every[0]], 'duplicate-name'],
  ['a prototype as a name', [{ ...every[0], name: 'a.__proto__' }], 'unsafe-name'],
  ['a shape that is none', [{ ...every[0], shape: [1.5] }], 'out-of-bounds'],
  ['bytes that do not fill the shape', [{ ...every[0], shape: [7] }], 'out-of-bounds'],
  ['more than 4 GiB', [{ ...every[0], shape: [2 ** 30] }], 'limit-exceeded'],
])('never writes %s', async (_what, wrong, kind) => {
  await expect((async () => writeStateDict(wrong))()).rejects.toMatchObject({ kind });
});
