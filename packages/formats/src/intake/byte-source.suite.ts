/** What every ByteSource promises, wherever its bytes lie. */
import { describe, expect, it } from 'vitest';
import type { ByteSource } from './source.js';

/** `open` gives a source of exactly `bytes`, and what to call at the end. */
export function byteSourceSuite(
  where: string,
  open: (bytes: Uint8Array) => Promise<{ source: ByteSource; close(): Promise<void> }>,
): void {
  describe(`bytes ${where}`, () => {
    const contents = new Uint8Array(200_000).map((_, n) => (n * n) >> 5);

    async function withSource(bytes: Uint8Array, check: (source: ByteSource) => Promise<void>): Promise<void> {
      const { source, close } = await open(bytes);
      try {
        await check(source);
      } finally {
        await close();
      }
    }

    it('come whole, with the size that was told before', () =>
      withSource(contents, async (source) => {
        expect(source.size).toBe(contents.length);
        expect(Buffer.compare(await source.read(), contents)).toBe(0);
      }));

    it('start with their prefix, also a longer one than there is', () =>
      withSource(contents, async (source) => {
        for (const count of [1, 132, 70_000, contents.length, contents.length + 1])
          expect(Buffer.compare(await source.prefix(count), contents.subarray(0, count))).toBe(0);
      }));

    it('can be read several times and at the same time', () =>
      withSource(contents, async (source) => {
        const all = await Promise.all([source.read(), source.prefix(10), source.read()]);
        expect(all.map((bytes) => bytes.length)).toEqual([contents.length, 10, contents.length]);
        expect(Buffer.compare(all[0], all[2])).toBe(0);
      }));

    it('may be none', () =>
      withSource(new Uint8Array(0), async (source) => {
        expect((await source.read()).length).toBe(0);
        expect((await source.prefix(16)).length).toBe(0);
      }));
  });
}
