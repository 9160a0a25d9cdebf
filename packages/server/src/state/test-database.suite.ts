/**
 * Databases for tests: one embedded PostgreSQL per test process (its files in a temporary folder, fsync off), and per call a copy of
 * a migrated database in it. A watcher ends it when the test process is gone, also after SIGKILL.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createDatabase, createPool } from './connect.js';
import type { Database } from './database.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';
import { migrate } from './migrate.js';

export interface TestDatabase {
  readonly db: Database;
  readonly pool: pg.Pool;
  /** For pg-boss, LISTEN clients and other processes. */
  readonly url: string;
  /** Drops it, with whatever is still connected. */
  close(): Promise<void>;
}

interface TestServer {
  readonly administratorUrl: string;
  readonly url: string;
  /** One at a time: a template must have no other user while it is copied. */
  create(name: string): Promise<void>;
}

let server: Promise<TestServer> | undefined;

/** A fresh, fully migrated database. */
export async function testDatabase(options: { readonly migrated?: boolean } = {}): Promise<TestDatabase> {
  server ??= startServer();
  const { create, url: base, administratorUrl } = await server;
  const name = `test_${randomBytes(6).toString('hex')}`;
  if (options.migrated === false) await administer(administratorUrl, `create database ${name} owner isocenter`);
  else await create(name);
  const url = base.replace('/isocenter?', `/${name}?`);
  const pool = createPool(url, { applicationName: 'isocenter test' });
  const db = createDatabase(pool);
  return {
    db,
    pool,
    url,
    close: async () => {
      await db.destroy().catch(() => undefined);
      await administer(administratorUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function startServer(): Promise<TestServer> {
  const home = await mkdtemp(join(tmpdir(), 'isocenter-db-'));
  await chmod(home, 0o711);
  const watcher = watch(home);
  const postgres = await EmbeddedPostgres.start({ home, durable: false });
  watcher.stdin.write(`${postgres.pid}\n`);
  const pool = createPool(postgres.url);
  const template = createDatabase(pool);
  await migrate(template);
  await template.destroy();
  let last = Promise.resolve();
  const create = (name: string) => {
    const made = last.then(() =>
      administer(postgres.administratorUrl, `create database ${name} template isocenter owner isocenter`),
    );
    last = made.catch(() => undefined);
    return made;
  };
  return { administratorUrl: postgres.administratorUrl, url: postgres.url, create };
}

/** Its input ends when this process does, however it ends; then it kills PostgreSQL and removes the folder. */
function watch(home: string) {
  const script = 'read pid; read end; [ -n "$pid" ] && kill -QUIT "$pid"; sleep 1; rm -rf "$1"';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', home], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return watcher;
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
