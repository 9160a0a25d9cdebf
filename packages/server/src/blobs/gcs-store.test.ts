/** The Google store against a small server of our own: there is no emulator to install. */
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobKey } from './blob-store.js';
import { blobStoreSuite, chunksOf, keysOf } from './blob-store.suite.js';
import { FakeGcs } from './fake-gcs.suite.js';
import { openGcsStore } from './gcs-store.js';

const place = { bucket: 'blobs', prefix: 'ours/here' };

blobStoreSuite('Google', async () => {
  const fake = await FakeGcs.start();
  return {
    store: openGcsStore({ ...place, endpoint: fake.url }),
    unreachable: openGcsStore({ ...place, endpoint: 'http://127.0.0.1:1' }),
    everything: async () => fake.everything(),
    close: () => fake.close(),
  };
});

describe('Google', () => {
  let fake: FakeGcs;
  beforeAll(async () => {
    fake = await FakeGcs.start();
  });
  afterAll(() => fake.close());
  const key = blobKey('a/b');

  it('keeps its objects below the prefix, and passes by what others put there', async () => {
    const store = openGcsStore({ ...place, endpoint: fake.url });
    await store.put(key, chunksOf(3));
    await openGcsStore({ ...place, prefix: '', endpoint: fake.url }).put(blobKey('ours/there/c'), chunksOf(3));
    const odd = new URLSearchParams({ uploadType: 'resumable', name: 'ours/here/READ ME' });
    const session = await fetch(`${fake.url}/upload/storage/v1/b/blobs/o?${odd}`, { method: 'POST' });
    const headers = { 'content-range': 'bytes 0-0/1' };
    await fetch(session.headers.get('location') ?? '', { method: 'PUT', body: 'x', headers });
    expect(fake.everything()).toEqual(['ours/here/READ ME', 'ours/here/a/b', 'ours/there/c']);
    expect(await keysOf(store)).toEqual(['a/b']);
  });

  it.each([
    [401, 'store-refused'],
    [403, 'store-refused'],
    [429, 'store-unavailable'],
    [503, 'store-unavailable'],
  ])('says of status %i that it is %s', async (status, kind) => {
    const store = openGcsStore({ ...place, endpoint: fake.url });
    fake.fault = () => status;
    const attempts = [
      () => store.put(key, chunksOf(10)),
      () => store.put(key, chunksOf(20 << 20)),
      () => store.get(key),
      () => store.head(key),
    ];
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(error).toMatchObject({ kind, next: expect.any(String) });
      expect(inspect(error, { depth: 10 })).not.toContain('Authorization');
    }
    fake.fault = () => undefined;
  });

  it('fails a download that ends early', async () => {
    const store = openGcsStore({ ...place, endpoint: fake.url });
    await store.put(key, chunksOf(3 << 20));
    fake.fault = (request) => (request.url?.includes('alt=media') ? 'cut' : undefined);
    const stream = await store.get(key);
    await expect(buffer(stream)).rejects.toMatchObject({ kind: 'store-unavailable' });
    fake.fault = () => undefined;
  });
});
