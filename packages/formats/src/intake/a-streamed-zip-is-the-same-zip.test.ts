import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { openSources } from './open-sources.js';
import { zipStream } from './write-zip.js';

const content = (name: string, text: string) => ({
  name,
  size: text.length,
  open: async () => Readable.from([Buffer.from(text)]),
});

it('holds what was streamed into it', async () => {
  const bytes = await buffer(zipStream([content('a/one.txt', 'one'), { name: 'two.txt', bytes: Buffer.from('two') }]));
  const { sources, close } = await openSources(bytes, { expect: 'archive' });
  const texts = await Promise.all(
    sources.map(async (source) => [source.name, Buffer.from(await source.read()).toString()]),
  );
  expect(texts).toEqual([
    ['a/one.txt', 'one'],
    ['two.txt', 'two'],
  ]);
  await close();
});

it('fails when a content cannot be opened, breaks off, or has another size than was said', async () => {
  const refused = { name: 'x', open: () => Promise.reject(new Error('gone')) };
  await expect(buffer(zipStream([refused]))).rejects.toThrow('gone');
  async function* half() {
    yield Buffer.from('half');
    throw new Error('broke off');
  }
  await expect(buffer(zipStream([{ name: 'x', open: async () => Readable.from(half()) }]))).rejects.toThrow(
    'broke off',
  );
  await expect(buffer(zipStream([{ ...content('x', 'three'), size: 2 }]))).rejects.toThrow();
});
