/** What a killed process left is removed, and nothing that a living one needs: also where ids are used again or mean another process. */
import { mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeOwnedFolder, sweepOwnedFolders } from './owned-folder.js';
import { temporaryFolder } from './test-bundles.suite.js';

let root: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  root = temporaryFolder();
});
afterEach(() => root.remove());

/** Process ids end at 2^22 on Linux: this one never lives. */
const NOBODY = 4194999;
const HOUR = 3_600_000;

/** A folder like one of ours, with parts of the name changed. */
async function like(change: (parts: { pid: string; start: string; place: string[] }) => void): Promise<string> {
  const own = basename(await makeOwnedFolder(root.path, 'work-'));
  const [, pid, start, place] = own.split('-');
  const parts = { pid, start, place: place.split('.') };
  change(parts);
  const name = `work-${parts.pid}-${parts.start}-${parts.place.join('.')}-other`;
  mkdirSync(join(root.path, name));
  return name;
}

async function swept(name: string, now = Date.now()): Promise<boolean> {
  await sweepOwnedFolders(root.path, 'work-', now);
  return !readdirSync(root.path).includes(name);
}

it('a folder of one’s own is private, and stays', async () => {
  const path = await makeOwnedFolder(root.path, 'work-');
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(await swept(basename(path))).toBe(false);
});

it('one of a dead process goes', async () => {
  expect(await swept(await like((parts) => (parts.pid = String(NOBODY))))).toBe(true);
});

it('one whose process id was used again goes', async () => {
  // The same id, but that process started at another time.
  if (process.platform === 'linux') expect(await swept(await like((parts) => (parts.start = '1')))).toBe(true);
});

it('one of another container stays, whatever its process id, as long as it is refreshed', async () => {
  const name = await like((parts) => {
    parts.pid = String(NOBODY);
    parts.place[2] = 'abcdef';
  });
  expect(await swept(name)).toBe(false);
  const old = new Date(Date.now() - 2 * HOUR);
  utimesSync(join(root.path, name), old, old);
  expect(await swept(name)).toBe(true);
});

it('one of this machine before it was started anew goes at once', async () => {
  expect(await swept(await like((parts) => (parts.place[1] = 'abcdef')))).toBe(true);
});

it('one of another machine stays', async () => {
  const name = await like((parts) => {
    parts.pid = String(NOBODY);
    parts.place[0] = 'abcdef';
    parts.place[1] = 'abcdef';
  });
  expect(await swept(name)).toBe(false);
});

it('what others named is not touched', async () => {
  mkdirSync(join(root.path, 'work-in-progress'));
  mkdirSync(join(root.path, 'somebody-elses'));
  expect(await swept('work-in-progress')).toBe(false);
  expect(await swept('somebody-elses')).toBe(false);
});
