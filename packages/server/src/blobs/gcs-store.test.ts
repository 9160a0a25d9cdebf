/** The Google store against a small server of our own: there is no emulator to install. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { blobKey } from './blob-store.js';
import { blobStoreSuite, chunksOf, keysOf, sha256 } from './blob-store.suite.js';
import { FakeGcs } from './fake-gcs.suite.js';
import { GcsRequests } from './gcs-requests.js';
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

  it('sends again what was lost of a large upload, and only that', async () => {
    const store = openGcsStore({ ...place, endpoint: fake.url });
    let chunks = 0;
    fake.fault = ({ method, headers }) => {
      // The second chunk is lost before Google has it, the answer to the third after.
      const isChunk = method === 'PUT' && !headers['content-range']?.startsWith('bytes *');
      if (isChunk) chunks++;
      return isChunk && chunks === 2 ? 503 : isChunk && chunks === 4 ? 'cut' : undefined;
    };
    const result = await store.put(key, chunksOf(30 << 20));
    fake.fault = () => undefined;
    expect(chunks).toBe(5);
    expect(sha256(await buffer(await store.get(key)))).toBe(result.sha256);
  });

  it('keeps nothing that came to Google as something else', async () => {
    const store = openGcsStore({ ...place, endpoint: fake.url });
    fake.changesBytes = true;
    await expect(store.put(blobKey('changed'), chunksOf(10))).rejects.toMatchObject({ kind: 'store-unavailable' });
    fake.changesBytes = false;
    expect(await store.head(blobKey('changed'))).toBeUndefined();
  });

  it('is asked with a token of the account that the environment names; without one, says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-gcs-'));
    const file = join(folder, 'account.json');
    // Federated identity: the one kind of account whose token does not have to come from Google's own address.
    const subject = join(folder, 'subject');
    writeFileSync(subject, 'a-subject-token');
    const account = {
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${fake.url}/token`,
      credential_source: { file: subject },
    };
    writeFileSync(file, JSON.stringify(account));
    try {
      vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
      const seen: (string | undefined)[] = [];
      fake.fault = (request) => {
        seen.push(request.headers.authorization);
        return undefined;
      };
      const answer = await new GcsRequests(fake.url, true).send('/storage/v1/b/blobs/o');
      await answer.body?.cancel();
      expect(seen.at(-1)).toBe('Bearer a-token-of-the-test');

      writeFileSync(subject, '');
      const error = await new GcsRequests(fake.url, true).send('/storage/v1/b/blobs/o').catch((thrown) => thrown);
      expect(error.kind).toMatch(/^store-/);
      expect(inspect(error, { depth: 10 })).not.toContain('a-subject-token');
    } finally {
      fake.fault = () => undefined;
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    }
  });
});
