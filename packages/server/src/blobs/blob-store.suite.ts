/** What every blob store promises; run by the tests of each (DESIGN §11). */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BlobKey, type BlobStore, blobKey } from './blob-store.js';

export interface StoreUnderTest {
  readonly store: BlobStore;
  /** Everything that lies there, whole or half, outside the contract: names of objects, files, uncommitted parts. */
  everything(): Promise<readonly string[]>;
  /** A store of the same kind whose server does not answer; undefined where there is no network. */
  readonly unreachable?: BlobStore;
  /** Promises that the server of this test cannot keep, by words of their sentence, each with the reason. */
  readonly serverLacks?: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const MB = 1 << 20;
/** More than one part or block of every store. */
const LARGE = 20 * MB;

export async function* chunksOf(bytes: number, size = 64 * 1024, fill = 7): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= size) yield Buffer.alloc(Math.min(size, left), fill);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function keysOf(store: BlobStore, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

export function blobStoreSuite(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`The ${name} store`, () => {
    let under: StoreUnderTest;
    let store: BlobStore;
    let last = 0;
    const fresh = () => blobKey(`suite/${(++last).toString().padStart(3, '0')}`);
    const read = async (key: BlobKey, range?: { first: number; last: number }) => buffer(await store.get(key, range));

    beforeAll(async () => {
      under = await open();
      store = under.store;
    });
    afterAll(() => under?.close());
    beforeEach(({ task, skip }) => {
      for (const [words, reason] of Object.entries(under.serverLacks ?? {}))
        if (task.name.includes(words)) skip(reason);
    });

    it.each([1, 3, 64 * 1024, 5 * MB, LARGE + 1])('gives back what it was given: %i bytes', async (length) => {
      const key = fresh();
      const whole = Buffer.alloc(length);
      for (let i = 0; i < length; i += 4096) whole.writeUInt8((i / 4096) & 255, i);
      const result = await store.put(
        key,
        (async function* () {
          for (let at = 0; at < length; at += 100_000) yield whole.subarray(at, at + 100_000);
        })(),
      );
      expect(result).toEqual({ bytes: length, sha256: sha256(whole) });
      expect((await read(key)).equals(whole)).toBe(true);
      const head = await store.head(key);
      expect(head).toMatchObject({ key, bytes: length });
      expect(Math.abs((head?.modifiedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    });

    it('keeps an empty blob, from an empty source and from empty chunks', async () => {
      const empty = sha256(new Uint8Array());
      for (const source of [
        chunksOf(0),
        (async function* () {
          yield new Uint8Array();
        })(),
      ]) {
        const key = fresh();
        expect(await store.put(key, source)).toEqual({ bytes: 0, sha256: empty });
        expect(await read(key)).toHaveLength(0);
        expect(await store.head(key)).toMatchObject({ bytes: 0 });
        await expect(store.get(key, { first: 0, last: 0 })).rejects.toMatchObject({ kind: 'bad-range' });
      }
    });

    it('takes ten thousand chunks of odd sizes in their order', async () => {
      const key = fresh();
      const chunks = Array.from({ length: 10_000 }, (_, i) => Buffer.alloc(i % 97, i & 255));
      const result = await store.put(
        key,
        (async function* () {
          yield* chunks;
        })(),
      );
      expect(result.sha256).toBe(sha256(Buffer.concat(chunks)));
      expect(sha256(await read(key))).toBe(result.sha256);
    });

    it('reads ranges: first to last, both with', async () => {
      const key = fresh();
      await store.put(
        key,
        (async function* () {
          yield Buffer.from('0123456789');
        })(),
      );
      expect((await read(key, { first: 0, last: 0 })).toString()).toBe('0');
      expect((await read(key, { first: 3, last: 6 })).toString()).toBe('3456');
      expect((await read(key, { first: 8, last: 99 })).toString()).toBe('89');
      for (const range of [
        { first: 10, last: 12 },
        { first: 5, last: 4 },
        { first: -1, last: 4 },
        { first: 0.5, last: 2 },
      ]) {
        await expect(store.get(key, range)).rejects.toMatchObject({ kind: 'bad-range' });
      }
    });

    it('names what is not there', async () => {
      const key = blobKey('suite/nothing/here');
      await expect(store.get(key)).rejects.toMatchObject({ kind: 'not-found' });
      await expect(store.get(key, { first: 0, last: 1 })).rejects.toMatchObject({ kind: 'not-found' });
      expect(await store.head(key)).toBeUndefined();
      await expect(store.get(blobKey('suite'))).rejects.toMatchObject({ kind: 'not-found' });
    });

    it('deletes, once and again', async () => {
      const key = fresh();
      await store.put(key, chunksOf(10));
      await store.delete(key);
      await store.delete(key);
      expect(await store.head(key)).toBeUndefined();
      await expect(store.get(key)).rejects.toMatchObject({ kind: 'not-found' });
      await store.delete(blobKey('suite/never/was'));
    });

    it('lists in the order of keys, below a prefix that need not end at a slash', async () => {
      const keys = ['ls/a', 'ls/a-b', 'ls/a/b', 'ls/a/b/c', 'ls/a0', 'ls/ab', 'ls/b/1', 'ls2/a'];
      for (const key of [...keys].reverse()) await store.put(blobKey(key), chunksOf(key.length));
      expect(await keysOf(store, 'ls')).toEqual([...keys].sort());
      expect(await keysOf(store, 'ls/')).toEqual(keys.filter((key) => key.startsWith('ls/')).sort());
      expect(await keysOf(store, 'ls/a/')).toEqual(['ls/a/b', 'ls/a/b/c']);
      expect(await keysOf(store, 'ls/b/1')).toEqual(['ls/b/1']);
      expect(await keysOf(store, 'nothing')).toEqual([]);
      for await (const info of store.list('ls2')) {
        expect(info).toMatchObject({ key: 'ls2/a', bytes: 5 });
        expect(info.modifiedAt.getTime()).toBeGreaterThan(Date.now() - 60_000);
      }
    });

    it('replaces a blob as a whole', async () => {
      const key = fresh();
      await store.put(key, chunksOf(LARGE, MB, 1));
      const second = await store.put(key, chunksOf(3, 1, 2));
      expect(sha256(await read(key))).toBe(second.sha256);
    });

    it('ends concurrent puts to one key in one whole value', async () => {
      const key = fresh();
      const puts = [1, 2, 3, 4].map((fill) => store.put(key, chunksOf(6 * MB + fill, MB, fill)));
      const results: unknown[] = [];
      for (const outcome of await Promise.allSettled(puts)) {
        if (outcome.status === 'fulfilled') results.push(outcome.value);
        // Azure's blocks of one name make each other void; whoever is told so may try again.
        else expect(outcome.reason).toMatchObject({ kind: 'store-unavailable' });
      }
      const found = await read(key);
      expect(results).toContainEqual({ bytes: found.byteLength, sha256: sha256(found) });
      expect(new Set(found).size).toBe(1);
    });

    it.each([10, LARGE])('refuses more than the maximum and keeps nothing (%i bytes)', async (maximumBytes) => {
      const key = fresh();
      const before = await under.everything();
      await expect(store.put(key, chunksOf(maximumBytes + 1), { maximumBytes })).rejects.toMatchObject({
        kind: 'too-large',
      });
      expect(await under.everything()).toEqual(before);
      expect(await store.put(key, chunksOf(maximumBytes), { maximumBytes })).toMatchObject({ bytes: maximumBytes });
    });

    it.each([100, LARGE])(
      'keeps nothing of a source that throws after %i bytes, and throws its error',
      async (length) => {
        const before = await under.everything();
        const torn = new Error('torn');
        const source = (async function* () {
          yield* chunksOf(length);
          throw torn;
        })();
        await expect(store.put(fresh(), source)).rejects.toBe(torn);
        expect(await under.everything()).toEqual(before);
      },
    );

    it.each([100, LARGE])('cancelled after %i bytes of a source that then hangs, keeps nothing', async (length) => {
      const before = await under.everything();
      const abort = new AbortController();
      let closed = false;
      const source = (async function* () {
        try {
          yield* chunksOf(length);
          setImmediate(() => abort.abort());
          await new Promise((resolve) => abort.signal.addEventListener('abort', resolve));
        } finally {
          closed = true;
        }
      })();
      await expect(store.put(fresh(), source, { signal: abort.signal })).rejects.toMatchObject({ kind: 'cancelled' });
      expect(await under.everything()).toEqual(before);
      await expect.poll(() => closed).toBe(true);
    });

    it('cancelled before it began, does not begin', async () => {
      const before = await under.everything();
      const put = store.put(fresh(), chunksOf(10), { signal: AbortSignal.abort() });
      await expect(put).rejects.toMatchObject({ kind: 'cancelled' });
      expect(await under.everything()).toEqual(before);
    });

    it('leaves the old value when its replacement fails', async () => {
      const key = fresh();
      const { sha256: old } = await store.put(key, chunksOf(100));
      await expect(store.put(key, chunksOf(LARGE), { maximumBytes: LARGE - 1 })).rejects.toMatchObject({
        kind: 'too-large',
      });
      expect(sha256(await read(key))).toBe(old);
    });

    it.each(['', '/', 'a//b', '/a', 'a/', '../a', 'a/../b', 'a/.', 'A', 'a b', 'a\0', 'ä', 'a.blob', 'x'.repeat(201)])(
      'refuses the key %j, whatever the types say',
      async (text) => {
        expect(() => blobKey(text)).toThrow(expect.objectContaining({ kind: 'bad-key' }));
        const key = text as BlobKey;
        const refused = { kind: 'bad-key' };
        await expect((async () => store.put(key, chunksOf(1)))()).rejects.toMatchObject(refused);
        await expect((async () => store.get(key))()).rejects.toMatchObject(refused);
        await expect((async () => store.head(key))()).rejects.toMatchObject(refused);
        await expect((async () => store.delete(key))()).rejects.toMatchObject(refused);
      },
    );

    it('can be left in the middle of reading', async () => {
      const key = fresh();
      await store.put(key, chunksOf(LARGE));
      for (let i = 0; i < 20; i++) {
        const stream = await store.get(key);
        if (i % 2) for await (const chunk of stream) if (chunk.length) break;
        stream.destroy();
      }
      expect(await store.head(key)).toMatchObject({ bytes: LARGE });
    });

    it('moves 200 MB in and out without holding them', async () => {
      const key = fresh();
      const length = 200 * MB;
      let peak = 0;
      const watch = () => {
        peak = Math.max(peak, process.memoryUsage().arrayBuffers);
      };
      const chunk = Buffer.alloc(MB, 5);
      const before = process.memoryUsage().arrayBuffers;
      await store.put(
        key,
        (async function* () {
          for (let i = 0; i < 200; i++) {
            watch();
            yield chunk;
          }
        })(),
      );
      let seen = 0;
      for await (const part of await store.get(key)) {
        watch();
        seen += part.length;
      }
      expect(seen).toBe(length);
      await store.delete(key);
      expect(peak - before).toBeLessThan(100 * MB);
    });

    it('says of a network that is down that it is unavailable, and may be tried again', async ({ skip }) => {
      const down = under.unreachable;
      if (!down) return skip('there is no network in it');
      const key = blobKey('suite/x');
      const unavailable = { kind: 'store-unavailable', next: expect.any(String) };
      await expect(down.put(key, chunksOf(10))).rejects.toMatchObject(unavailable);
      await expect(down.get(key)).rejects.toMatchObject(unavailable);
      await expect(down.head(key)).rejects.toMatchObject(unavailable);
      await expect(down.delete(key)).rejects.toMatchObject(unavailable);
      await expect(keysOf(down)).rejects.toMatchObject(unavailable);
    });
  });
}
