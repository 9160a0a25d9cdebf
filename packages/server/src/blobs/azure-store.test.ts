/** The Azure store against azurite, Microsoft's own emulator, as a process beside. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAzureStore } from './azure-store.js';
import { blobKey } from './blob-store.js';
import { blobStoreSuite, chunksOf, keysOf } from './blob-store.suite.js';

/** Azurite's published account; not a secret. */
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

function connectionString(url: string): string {
  return `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${KEY};BlobEndpoint=${url}/devstoreaccount1;`;
}

async function startAzurite() {
  const location = mkdtempSync(join(tmpdir(), 'isocenter-azurite-'));
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const flags = ['--blobHost', '127.0.0.1', '--blobPort', '0', '--skipApiVersionCheck', '--disableTelemetry'];
  // The shell ends it when its input ends, which it does however this process ends.
  const script = '"$@" & server=$!; read end; kill $server; wait $server';
  const command = [process.execPath, main, '--location', location, ...flags];
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
      const [, found] = /listens on (http:\S+)/.exec(said) ?? [];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`azurite did not start: ${said}`)));
    AbortSignal.timeout(60_000).onabort = () => reject(new Error(`azurite says only: ${said}`));
  });
  const service = BlobServiceClient.fromConnectionString(connectionString(url));
  const container = service.getContainerClient('blobs');
  await container.create();
  return {
    url,
    container,
    close: async () => {
      child.stdin.end();
      await ended;
      rmSync(location, { recursive: true, force: true });
    },
  };
}

async function everything(container: ContainerClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of container.listBlobsFlat({ includeUncommitedBlobs: true })) names.push(name);
  return names;
}

const place = { container: 'blobs', prefix: 'ours/here' };

blobStoreSuite('Azure', async () => {
  const azurite = await startAzurite();
  return {
    store: openAzureStore({ ...place, connectionString: connectionString(azurite.url) }),
    unreachable: openAzureStore({ ...place, connectionString: connectionString('http://127.0.0.1:1') }),
    everything: () => everything(azurite.container),
    close: azurite.close,
  };
});

describe('Azure', () => {
  let azurite: Awaited<ReturnType<typeof startAzurite>>;
  beforeAll(async () => {
    azurite = await startAzurite();
  });
  afterAll(() => azurite?.close());

  it('keeps its blobs below the prefix, and passes by what others put there', async () => {
    const store = openAzureStore({ ...place, connectionString: connectionString(azurite.url) });
    await store.put(blobKey('a/b'), chunksOf(3));
    await azurite.container.getBlockBlobClient('ours/here/READ ME').upload('x', 1);
    await azurite.container.getBlockBlobClient('ours/there/x').upload('x', 1);
    expect(await keysOf(store)).toEqual(['a/b']);
  });

  it('lets blocks go that a dead process left, and no whole blob', async () => {
    const store = openAzureStore({ ...place, connectionString: connectionString(azurite.url) });
    const left = azurite.container.getBlockBlobClient('ours/here/left');
    await left.stageBlock(Buffer.from('1').toString('base64'), 'x', 1);
    expect(await everything(azurite.container)).toContain('ours/here/left');
    await store.put(blobKey('whole'), chunksOf(3));
    expect(await store.removeUnfinished?.([blobKey('left'), blobKey('whole'), blobKey('never')])).toBe(1);
    expect(await everything(azurite.container)).not.toContain('ours/here/left');
    expect(await store.head(blobKey('whole'))).toMatchObject({ bytes: 3 });
  });

  it('says that container or key are refused, without a credential', async () => {
    const missing = openAzureStore({ ...place, container: 'other', connectionString: connectionString(azurite.url) });
    await expect(missing.put(blobKey('a'), chunksOf(1))).rejects.toMatchObject({ kind: 'store-refused' });
    const wrong = connectionString(azurite.url).replace(KEY, Buffer.from('wrong').toString('base64'));
    const error = await openAzureStore({ ...place, connectionString: wrong })
      .put(blobKey('a'), chunksOf(1))
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: 'store-refused', where: expect.stringContaining('403') });
    expect(inspect(error, { depth: 10 })).not.toMatch(/Signature|AccountKey|SharedKey|devstore/);
    const secret = 'AccountKey=verysecret';
    expect(() => openAzureStore({ ...place, connectionString: secret })).toThrow(
      expect.objectContaining({ kind: 'bad-setting', message: expect.not.stringContaining('verysecret') }),
    );
  });
});
