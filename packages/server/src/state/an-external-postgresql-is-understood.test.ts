/** DATABASE_URL: what is wrong with it is said in words, without the password; what is right works like the built-in database. */
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeFailure, type Failure } from '@isocenter/volume';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';
import { checkExternal, placeOf } from './external-postgres.js';
import { joinState, openState } from './open-state.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('an external PostgreSQL', () => {
  let folder = '';
  let external: EmbeddedPostgres;
  let tcpPort = 0;
  const home = () => join(folder, 'home');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-external-'));
    await chmod(folder, 0o711);
    tcpPort = await freePort();
    external = await EmbeddedPostgres.start({ home: folder, tcpPort, durable: false });
  });
  afterAll(async () => {
    await external.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('serves two servers with data directories of their own, and a worker', async () => {
    const databaseUrl = external.url;
    const [a, b] = await Promise.all([
      openState({ home: home(), databaseUrl }),
      openState({ home: `${home()}-2`, databaseUrl }),
    ]);
    const worker = await joinState({ databaseUrl });
    expect([a.kind, b.kind, worker.kind]).toEqual(['external', 'external', 'external']);
    expect(b.installationId).toBe(a.installationId);
    expect(worker.installationId).toBe(a.installationId);
    await a.db.insertInto('setting').values({ key: 'k', value: '"v"', updated_by: 'test' }).execute();
    expect(await worker.db.selectFrom('setting').select('value').execute()).toEqual([{ value: 'v' }]);
    await Promise.all([a.close(), b.close(), worker.close()]);
    // Nothing of a built-in database was made.
    expect(await readdir(home())).not.toContain('postgres');
  });

  it('that goes away and comes back costs errors of the kind unavailable, and nothing else', async () => {
    const state = await openState({ home: home(), databaseUrl: external.url });
    try {
      const client = await state.pool.connect();
      await external.stop();
      await expect(state.db.selectFrom('setting').select('key').execute()).rejects.toMatchObject({
        kind: 'unavailable',
      });
      await expect(client.query('select 1')).rejects.toThrow();
      client.release(true);
      external = await EmbeddedPostgres.start({ home: folder, tcpPort, durable: false });
      expect(await state.db.selectFrom('setting').select('key').execute()).toEqual([{ key: 'k' }]);
    } finally {
      await state.close();
    }
  });

  const faults: readonly (readonly [string, string, Partial<URL>])[] = [
    ['a wrong password', 'wrong-password', { password: 'PLANTED-wrong' }],
    ['an unknown user', 'wrong-password', { username: 'PLANTED-user' }],
    ['an unknown database', 'no-database', { pathname: '/nosuch' }],
    ['an unknown host', 'unknown-host', { host: 'no-such-host.invalid' }],
    ['a port where nothing listens', 'unavailable', { port: '1' }],
    ['TLS that the server does not speak', 'tls', { search: '?sslmode=verify-full' }],
    ['a missing certificate', 'bad-url', { search: '?sslrootcert=/nosuch.pem' }],
  ];
  it.each(faults)('%s is told as such', async (_name, kind, change) => {
    const url = new URL(external.url);
    const { password } = url;
    Object.assign(url, change);
    const databaseUrl = url.toString();
    const error = (await openState({ home: home(), databaseUrl }).catch((failure) => failure)) as Failure;
    expect(error).toMatchObject({ kind, where: expect.stringMatching(/./), next: expect.stringMatching(/./) });
    expect(describeFailure(error)).not.toContain(password);
    expect(describeFailure(error)).not.toContain('PLANTED');
    // Nothing stays locked.
    expect((await readdir(home())).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  it('that is too old is named with its version', async () => {
    await expect(checkExternal(external.url, 99)).rejects.toMatchObject({
      kind: 'database-too-old',
      message: 'PostgreSQL 18 is too old.',
      next: expect.stringContaining('99'),
    });
  });

  it('where we may not make tables says who must own it', async () => {
    const administrator = new pg.Client({ connectionString: external.administratorUrl });
    await administrator.connect();
    await administrator.query('create database strange');
    await administrator.end();
    const databaseUrl = Object.assign(new URL(external.url), { pathname: '/strange' }).toString();
    await expect(openState({ home: home(), databaseUrl })).rejects.toMatchObject({
      kind: 'refused',
      next: expect.stringContaining('owner'),
    });
  });

  it.each(['', 'localhost', 'mysql://u:PLANTED@h/d', 'postgresql://u:PLANTED@h:x/d'])(
    'has an address, and %j is none',
    (url) => {
      expect(() => placeOf(url)).toThrow(expect.objectContaining({ kind: 'bad-url' }));
      expect(() => placeOf(url)).not.toThrow(/PLANTED/);
    },
  );

  it('is named by host, port and database only', () => {
    expect(placeOf('postgres://user:secret@db.example:6432/iso')).toBe('db.example:6432/iso');
    expect(placeOf('postgresql://user:secret@/iso?host=/run/pg')).toBe('/run/pg:5432/iso');
  });
});
