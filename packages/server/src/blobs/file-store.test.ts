/** The file store keeps the contract, and what only files need: modes, leavings of dead processes, names that last. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityText, ownIdentity } from '@isocenter/engine';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { blobKey } from './blob-store.js';
import { blobStoreSuite, chunksOf, keysOf } from './blob-store.suite.js';
import { openFileStore } from './file-store.js';

const root = mkdtempSync(join(tmpdir(), 'isocenter-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function fresh(): string {
  return join(root, `store${++folders}`);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

blobStoreSuite('file', async () => {
  const folder = fresh();
  return {
    store: await openFileStore(folder),
    everything: async () => filesBelow(folder),
    close: async () => rmSync(folder, { recursive: true }),
  };
});

describe('Files of blobs', () => {
  it('are for us alone', async () => {
    const folder = fresh();
    const store = await openFileStore(folder);
    const key = blobKey('a/b/c');
    await store.put(key, chunksOf(10));
    expect(statSync(store.localPath?.(key) ?? '').mode & 0o777).toBe(0o600);
    for (const path of ['', 'incoming', 'objects', 'objects/a', 'objects/a/b']) {
      expect(statSync(join(folder, path)).mode & 0o777).toBe(0o700);
    }
  });

  it('may be shared by two stores and two processes', async () => {
    const folder = fresh();
    const [a, b] = [await openFileStore(folder), await openFileStore(folder)];
    await Promise.all([a.put(blobKey('x/a'), chunksOf(100)), b.put(blobKey('x/b'), chunksOf(100))]);
    expect(await keysOf(a)).toEqual(['x/a', 'x/b']);
    await a.delete(blobKey('x/b'));
    expect(await keysOf(b)).toEqual(['x/a']);
  });

  it('hold what came, in pieces of any length, also of a source that fills one buffer again and again', async () => {
    const store = await openFileStore(fresh());
    const lengths = [1, 300_000, 7, 65_536, 262_144, 1_000_003, 2, 524_288];
    const whole = Buffer.concat(lengths.map((length, index) => Buffer.alloc(length, index + 1)));
    async function* pieces() {
      const buffer = new Uint8Array(Math.max(...lengths));
      for (const [index, length] of lengths.entries()) yield buffer.fill(index + 1).subarray(0, length);
    }
    const stored = await store.put(blobKey('a'), pieces());
    expect(stored).toEqual({ bytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex') });
    expect(readFileSync(store.localPath?.(blobKey('a')) ?? '').equals(whole)).toBe(true);
  });

  it('names no path of this machine when its folder refuses', async () => {
    const folder = fresh();
    writeFileSync(folder, 'a file');
    const error = await openFileStore(folder).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind: 'store-refused' });
    expect(`${(error as Error).message}${JSON.stringify(error)}`).not.toContain(root);
  });
});

describe('Half-written files', () => {
  it('of a process that was killed are removed; those of one that lives are not, nor those of others for a while', async () => {
    const folder = fresh();
    const store = await openFileStore(folder);
    const killed = await hangingWriter(folder);
    const living = await hangingWriter(folder);
    const other = identityText({ ...ownIdentity(), machine: '0123ab', pid: 1 });
    const [elsewhere, longAgo] = [`${other}-0`, `${other}-1`];
    for (const name of [elsewhere, longAgo, 'README']) writeFileSync(join(folder, 'incoming', name), 'x');
    utimesSync(join(folder, 'incoming', longAgo), new Date(0), new Date(0));
    let go = (): void => undefined;
    const own = store.put(
      blobKey('own'),
      (async function* () {
        yield* chunksOf(100_000);
        await new Promise<void>((resolve) => {
          go = resolve;
        });
      })(),
    );
    await expect.poll(() => readdirSync(join(folder, 'incoming')).length).toBe(6);

    expect(await store.removeUnfinished?.([])).toBe(1);
    killed.process.kill('SIGKILL');
    await killed.ended;
    expect(await store.removeUnfinished?.([])).toBe(1);
    const left = readdirSync(join(folder, 'incoming'));
    expect(left).toHaveLength(4);
    expect(left).toEqual(expect.arrayContaining([elsewhere, 'README']));

    go();
    await own;
    living.process.kill('SIGKILL');
    await living.ended;
    expect(await store.removeUnfinished?.([])).toBe(1);
    expect(readdirSync(join(folder, 'incoming')).sort()).toEqual([elsewhere, 'README'].sort());
    expect(await keysOf(store)).toEqual(['own']);
  });

  it('of our own are found again when their removal failed', async () => {
    const folder = fresh();
    const store = await openFileStore(folder);
    let temporary = '';
    const put = store.put(
      blobKey('own'),
      (async function* () {
        yield* chunksOf(100_000);
        const [name] = readdirSync(join(folder, 'incoming'));
        temporary = join(folder, 'incoming', name ?? '');
        rmSync(temporary);
        mkdirSync(temporary); // `rm` without -r fails on it
        throw new Error('torn');
      })(),
    );
    await expect(put).rejects.toThrow('torn');
    rmSync(temporary, { recursive: true });
    writeFileSync(temporary, 'again');
    expect(await store.removeUnfinished?.([])).toBe(1);
  });
});

/** A process that has written half a blob and waits. */
async function hangingWriter(folder: string) {
  const script = `
    import { openFileStore } from ${JSON.stringify(new URL('../../dist/blobs/file-store.js', import.meta.url).href)};
    const store = await openFileStore(${JSON.stringify(folder)});
    store.put('half', (async function* () {
      yield new Uint8Array(100000);
      console.log('half');
      await new Promise((resolve) => setTimeout(resolve, 60000));
    })());`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return { process: child, ended };
}
