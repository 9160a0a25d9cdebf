/**
 * With a long data directory the socket lies below the system's temporary folder, under a name that anybody can read from the list of
 * processes. A link that somebody puts there is not followed: nothing behind it is removed, and no database listens there.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { locate } from './embedded/location.js';
import { unprivilegedUser } from './embedded/run-as.js';
import { openState } from './open-state.js';

let base = '';
let home = '';
let run = '';
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'isocenter-links-'));
  await chmod(base, 0o711);
  home = join(base, 'd'.repeat(100));
  await mkdir(home, { mode: 0o711 });
  const state = await openState({ home, embedded: { durable: false } });
  await state.close();
  ({ run } = await locate(home, await unprivilegedUser()));
});
afterAll(async () => {
  await rm(run, { recursive: true, force: true });
  await rm(base, { recursive: true, force: true });
});

it('a link in the place of the socket folder ends the start, and the files behind it stay', async () => {
  expect(dirname(run)).toBe(tmpdir());
  const documents = join(base, 'documents');
  await mkdir(documents);
  await writeFile(join(documents, 'thesis.txt'), 'the only copy');
  await writeFile(join(documents, '.s.PGSQL.5432'), 'not a socket');
  const user = await unprivilegedUser();
  if (user) await chown(documents, user.uid, user.gid);
  await rm(run, { recursive: true, force: true });
  await symlink(documents, run);

  await expect(openState({ home, embedded: { durable: false } })).rejects.toMatchObject({ kind: 'start-failed' });
  expect(await readFile(join(documents, 'thesis.txt'), 'utf8')).toBe('the only copy');
  expect(await readFile(join(documents, '.s.PGSQL.5432'), 'utf8')).toBe('not a socket');
  await rm(run);
});

it('a socket folder of our own that stands open is closed, and other files in it are left alone', async () => {
  await mkdir(run);
  await chmod(run, 0o777);
  await writeFile(join(run, 'note'), 'of somebody');
  const user = await unprivilegedUser();
  if (user) await chown(run, user.uid, user.gid);
  const state = await openState({ home, embedded: { durable: false } });
  expect((await lstat(run)).mode & 0o777).toBe(0o700);
  expect(await readFile(join(run, 'note'), 'utf8')).toBe('of somebody');
  await state.close();
});
