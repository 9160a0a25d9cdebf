/** A vendor's SDK costs memory and time: whoever keeps files never loads one. And what the setting says is what is opened. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { blobKey } from './blob-store.js';
import { chunksOf } from './blob-store.suite.js';
import { openBlobStore } from './open-blob-store.js';

const home = mkdtempSync(join(tmpdir(), 'isocenter-home-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Opens a store in a process where importing a vendor's package is an error. Returns what it says. */
function openWithoutVendors(store: string): string {
  const hooks = `export async function resolve(specifier, context, next) {
    if (/^(@aws-sdk|@azure|@google-cloud)\\//.test(specifier)) throw new Error('loads ' + specifier);
    return next(specifier, context);
  }`;
  const module = new URL('../../dist/blobs/open-blob-store.js', import.meta.url).href;
  const script = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    const { openBlobStore } = await import(${JSON.stringify(module)});
    const { openBlobs } = await import(${JSON.stringify(new URL('open-blobs.js', module).href)});
    const setting = { store: ${JSON.stringify(store)}, home: ${JSON.stringify(home)}, azureConnectionString: 'x' };
    await openBlobStore(setting).then(({ kind }) => console.log('opened', kind, typeof openBlobs), (e) => console.log(e.message));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout.trim();
}

describe('The SDK of a vendor', () => {
  it.each([
    ['file:', 'opened file function'],
    ['s3://b', 'loads @aws-sdk/client-s3'],
    ['azure://b', 'loads @azure/storage-blob'],
    ['gs://b', 'loads @google-cloud/storage'],
  ])('with %s: %s', (store, said) => {
    expect(openWithoutVendors(store)).toBe(said);
  });
});

describe('The setting of the blob store', () => {
  it('is a folder of the data directory when it says nothing', async () => {
    for (const store of [undefined, '', 'file:']) {
      const opened = await openBlobStore({ home, ...(store === undefined ? {} : { store }) });
      expect(opened.localPath?.(blobKey('a'))).toBe(join(home, 'blobs/objects/a.blob'));
    }
  });

  it('may name a folder, from the root or from the data directory', async () => {
    const absolute = await openBlobStore({ home, store: `file://${home}/else%20where` });
    expect(absolute.localPath?.(blobKey('a'))).toBe(join(home, 'else where/objects/a.blob'));
    const relative = await openBlobStore({ home, store: 'file:near' });
    await relative.put(blobKey('a'), chunksOf(1));
    expect(relative.localPath?.(blobKey('a'))).toBe(join(home, 'near/objects/a.blob'));
  });

  it.each([
    ['s3://bucket?region=eu-west-1', 's3'],
    ['s3://bucket/a/b/?region=eu-west-1&endpoint=http://127.0.0.1:9000&pathStyle=false', 's3'],
    ['azure://container/prefix', 'azure'],
    ['gs://my_bucket.example/prefix?endpoint=http://127.0.0.1:1', 'gcs'],
  ])('%s opens %s', async (store, kind) => {
    const azureConnectionString = 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=x.y';
    expect(await openBlobStore({ home, store, azureConnectionString })).toMatchObject({ kind });
  });

  it.each([
    'S3',
    'ftp://bucket',
    's3://',
    's3://key:topsecret@bucket',
    's3://bucket?secret=topsecret',
    's3://bucket?endpoint=topsecret',
    's3://bucket?endpoint=http://u:topsecret@host',
    's3://bucket?pathStyle=topsecret',
    's3://bucket/a%20b',
    's3://bucket/../x y',
    'azure://container',
    'azure://container?sig=topsecret',
    'gs://bucket#topsecret',
    'file://host/topsecret',
  ])('%s is refused, without repeating it', async (store) => {
    const error = await openBlobStore({ home, store }).catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: 'bad-setting', next: expect.any(String) });
    expect(inspect(error, { depth: 10 }).replace(/\n +at .*/g, '')).not.toContain('topsecret');
  });
});
