/** The S3 store against s3rver, and against a stricter server of our own for what s3rver lacks. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { blobKey } from './blob-store.js';
import { blobStoreSuite, chunksOf, keysOf } from './blob-store.suite.js';
import { FakeS3 } from './fake-s3.suite.js';
import { openS3Store } from './s3-store.js';
import { TESTER, testBlobs } from './test-blobs.suite.js';

/** It comes without types. */
const S3rver = createRequire(import.meta.url)('s3rver') as new (
  options: Readonly<Record<string, unknown>>,
) => { run(): Promise<{ readonly port: number }>; close(): Promise<void> };

function credentials(): void {
  vi.unstubAllEnvs();
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
}
beforeEach(credentials);
afterAll(() => vi.unstubAllEnvs());

blobStoreSuite('S3 (s3rver)', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isocenter-s3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: 'blobs', configs: [] }],
  });
  const { port } = await server.run();
  const place = { bucket: 'blobs', prefix: 'ours/here', region: 'eu-west-1', pathStyle: true };
  return {
    store: await openS3Store({ ...place, endpoint: `http://127.0.0.1:${port}` }),
    unreachable: await openS3Store({ ...place, endpoint: 'http://127.0.0.1:1' }),
    everything: async () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort(),
    serverLacks: {
      'keeps an empty blob': 's3rver answers a range of an empty object with 200',
      'reads ranges': 's3rver takes a last byte of 0 for none',
      'lists in the order': 's3rver lists in the order of its folders',
      'concurrent puts': 's3rver writes into the object itself',
      'nothing (20971520': 's3rver has no AbortMultipartUpload',
      'throws after 20971520': 's3rver has no AbortMultipartUpload',
      'cancelled after 20971520': 's3rver has no AbortMultipartUpload',
    },
    close: async () => {
      await server.close();
      rmSync(directory, { recursive: true });
    },
  };
});

const place = { bucket: 'blobs', prefix: 'ours/here', region: 'eu-west-1', pathStyle: true };

blobStoreSuite('S3 (strict)', async () => {
  const fake = await FakeS3.start();
  return {
    store: await openS3Store({ ...place, endpoint: fake.url }),
    everything: async () => fake.everything(),
    close: () => fake.close(),
  };
});

describe('S3', () => {
  let fake: FakeS3;
  beforeAll(async () => {
    fake = await FakeS3.start();
  });
  afterAll(() => fake.close());
  const open = () => openS3Store({ ...place, endpoint: fake.url });
  const key = blobKey('a/b');

  it('keeps its objects below the prefix, and passes by what others put there', async () => {
    const store = await open();
    await store.put(key, chunksOf(3));
    expect(fake.everything()).toContain('ours/here/a/b');
    await (await openS3Store({ ...place, prefix: '', endpoint: fake.url })).put(blobKey('ours/there/c'), chunksOf(3));
    await fetch(`${fake.url}/blobs/ours/here/READ%20ME`, { method: 'PUT', body: 'x' });
    expect(await keysOf(store)).toEqual(['a/b']);
  });

  it('lets parts go that a dead process left, of that key only', async () => {
    const store = await open();
    for (const name of ['a/b', 'a/bc']) {
      const answer = await fetch(`${fake.url}/blobs/ours/here/${name}?uploads`, { method: 'POST' });
      const [, id] = /<UploadId>(.*)<\/UploadId>/.exec(await answer.text()) ?? [];
      await fetch(`${fake.url}/blobs/ours/here/${name}?partNumber=1&uploadId=${id}`, { method: 'PUT', body: 'x' });
    }
    expect(await store.removeUnfinished?.([key])).toBe(1);
    expect(fake.everything().filter((name) => name.includes('#'))).toEqual(['ours/here/a/bc#1']);
    fake.fault = () => 501;
    await expect(store.removeUnfinished?.([key])).rejects.toMatchObject({ kind: 'store-unavailable' });
    fake.fault = () => undefined;
  });

  it.each([
    [403, 'store-refused'],
    [400, 'store-refused'],
    [429, 'store-unavailable'],
    [500, 'store-unavailable'],
    [503, 'store-unavailable'],
    [507, 'no-space'],
  ])('says of status %i that it is %s, without a credential', async (status, kind) => {
    const store = await open();
    fake.fault = () => status;
    const error = await store.put(key, chunksOf(10)).catch((thrown) => thrown);
    fake.fault = () => undefined;
    expect(error).toMatchObject({ kind, next: expect.any(String) });
    expect(error.cause).toBeUndefined();
    expect(inspect(error, { depth: 10 })).not.toMatch(/S3RVER|Signature|Authorization/);
  });

  it('says that the bucket is missing, not the blob', async () => {
    const store = await openS3Store({ ...place, bucket: 'other', endpoint: fake.url });
    await expect(store.get(key)).rejects.toMatchObject({ kind: 'store-refused', where: '404 NoSuchBucket' });
    await expect(store.put(key, chunksOf(1))).rejects.toMatchObject({ kind: 'store-refused' });
  });

  it('fails a download that ends early, and one with the wrong range', async () => {
    const store = await open();
    await store.put(key, chunksOf(3 << 20));
    fake.fault = () => 'cut';
    const stream = await store.get(key);
    await expect(buffer(stream)).rejects.toMatchObject({ kind: 'store-unavailable' });
    fake.fault = (request) => {
      delete request.headers.range;
      return undefined;
    };
    await expect(store.get(key, { first: 1, last: 2 })).rejects.toMatchObject({ kind: 'store-unavailable' });
    fake.fault = () => undefined;
  });

  it('needs a region, from the setting or the environment', async () => {
    const { endpoint, region, ...nowhere } = { ...place, endpoint: undefined };
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    await expect(openS3Store(nowhere)).rejects.toMatchObject({ kind: 'bad-setting' });
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    expect(await openS3Store(nowhere)).toMatchObject({ kind: 's3' });
  });

  it('says that there are no credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    await expect((await open()).put(key, chunksOf(1))).rejects.toMatchObject({
      kind: 'store-refused',
      message: expect.stringContaining('no credentials'),
    });
  });

  it('is rid of the parts of an upload whose writer died, when the sweeper was there', async () => {
    const test = await testBlobs({ store: await open() });
    onTestFinished(() => test.close());
    let wake = (): void => undefined;
    const outcome = test.blobs
      .write(
        (async function* () {
          yield* chunksOf(12 << 20);
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        })(),
        { purpose: 'upload', actor: TESTER, maximumBytes: 100 << 20 },
      )
      .catch((error: unknown) => error);
    const parts = () => fake.everything().filter((name) => name.includes('#'));
    const before = parts().length;
    await expect.poll(() => parts().length, { timeout: 20_000 }).toBe(before + 2);
    test.pass(120_000);
    expect(await (await test.another()).sweep()).toMatchObject({ erased: 1, failed: 0 });
    expect(parts()).toHaveLength(before);
    wake();
    expect(await outcome).toMatchObject({ kind: expect.stringMatching(/^store-/) });
    await test.blobs.sweep();
    expect(parts()).toHaveLength(before);
  });
});
