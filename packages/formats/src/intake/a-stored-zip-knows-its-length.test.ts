import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openSources } from './open-sources.js';
import { storedZip } from './stored-zip.js';

const content = (name: string, bytes: Uint8Array, size = bytes.length) => ({
  name,
  size,
  open: async () => Readable.from([bytes]),
});

test('the zip has exactly the bytes that were said before, each time it is opened', async () => {
  for (const sizes of [[], [0], [1, 70_000, 3], Array.from({ length: 40 }, (_, n) => n * 11)]) {
    const zip = storedZip(sizes.map((size, n) => content(`datei-ä-${n}.bin`, new Uint8Array(size).fill(n))));
    const first = await buffer(zip.open());
    expect(first.length).toBe(zip.bytes);
    expect(await buffer(zip.open())).toEqual(first);
  }
});

test('what is inside is what was put in', async () => {
  const zip = storedZip([content('a.txt', Buffer.from('one')), content('b.txt', Buffer.from('two'))]);
  const opened = await openSources(await buffer(zip.open()));
  const read = await Promise.all(opened.sources.map(async (source) => [source.name, String(await source.read())]));
  await opened.close();
  expect(read.map(([, text]) => text)).toEqual(['one', 'two']);
});

test('a content that is longer or shorter than it said ends the stream with an error', async () => {
  for (const size of [2, 4])
    await expect(buffer(storedZip([content('a', Buffer.from('abc'), size)]).open())).rejects.toThrow();
});
