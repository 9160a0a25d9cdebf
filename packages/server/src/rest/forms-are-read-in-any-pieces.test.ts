/** multipart/form-data cut at every place, and forms that are none. */
import { expect, test } from 'vitest';
import { readForm } from './multipart.js';

const TYPE = 'multipart/form-data; boundary=----xy';
/** Looks like a boundary at several places, and is none. */
const FILE = Buffer.from('\r\n----\r\n------x\r\n--\r\n------xz\0\xff\r', 'latin1');
const FORM = Buffer.concat([
  Buffer.from('------xy\r\nContent-Disposition: form-data; name="form"\r\n\r\n{"a":"ä"}\r\n------xy\r\n'),
  Buffer.from('content-disposition: form-data; name="file"; filename="Müller^Jörg.onnx"\r\nContent-Type: x/y\r\n\r\n'),
  FILE,
  Buffer.from('\r\n------xy--\r\n'),
]);

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size: number, type = TYPE) {
  const { fields, file } = await readForm(pieces(bytes, size), type);
  const parts: Uint8Array[] = [];
  for await (const part of file) parts.push(part);
  return { fields: Object.fromEntries(fields), file: Buffer.concat(parts) };
}

test('field and file are the same however the bytes arrive', async () => {
  for (let size = 1; size <= FORM.length; size++) {
    const form = await read(FORM, size);
    expect(form.fields).toEqual({ form: '{"a":"ä"}' });
    expect(form.file.equals(FILE)).toBe(true);
  }
});

test('an empty file is an empty file', async () => {
  const bytes = Buffer.from('------xy\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n------xy--\r\n');
  expect(await read(bytes, 7)).toEqual({ fields: {}, file: Buffer.alloc(0) });
});

test('what is cut off, unnamed, without a file or endless is refused', async () => {
  for (let cut = 0; cut < FORM.length - '--\r\n'.length; cut++)
    await expect(read(FORM.subarray(0, cut), 16), `cut at ${cut}`).rejects.toMatchObject({ kind: 'bad-form' });
  await expect(read(FORM, 16, 'multipart/form-data')).rejects.toMatchObject({ kind: 'bad-form' });
  const field = '------xy\r\nContent-Disposition: form-data; name="form"\r\n\r\n';
  await expect(read(Buffer.from(`${field}x\r\n------xy--\r\n`), 16)).rejects.toMatchObject({ kind: 'bad-form' });
  await expect(read(Buffer.from(field + 'x'.repeat(1_100_000)), 65_536)).rejects.toMatchObject({
    message: expect.stringContaining('larger than'),
  });
  await expect(read(Buffer.from(`${field}x\r\n`.repeat(40)), 16)).rejects.toMatchObject({ kind: 'bad-form' });
});
