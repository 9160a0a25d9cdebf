/** A blobs service for tests: a fresh database, a file store in a temporary folder, an audit log in a table, a clock that is set. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Actor } from '../accounts/actor.js';
import type { AuditEntry, AuditLog } from '../audit/audit-log.js';
import type { Database } from '../state/database.js';
import { testDatabase } from '../state/test-database.suite.js';
import { type BlobKey, type BlobStore, blobKey } from './blob-store.js';
import type { BlobOwner, BlobPurpose, Blobs } from './blobs.js';
import { openFileStore } from './file-store.js';
import { type BlobsOptions, openBlobs } from './open-blobs.js';

/** Where fsync is free: these tests flush thousands of small files, and prove nothing about power cuts. */
const MEMORY_DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const TESTER: Actor = Object.freeze({ kind: 'person', id: 'p1', name: 'Tester', role: 'administrator' });

export interface TestBlobs {
  readonly db: Database;
  readonly url: string;
  readonly store: BlobStore;
  readonly blobs: Blobs;
  readonly folder: string;
  /** In milliseconds from the start. */
  pass(ms: number): void;
  /** Another server on the same database and, unless said otherwise, the same store. */
  another(options?: Partial<BlobsOptions>): Promise<Blobs>;
  audited(): Promise<readonly { action: string; id: string; reason: string; details: Record<string, unknown> }[]>;
  close(): Promise<void>;
}

/** Writes with the executor it is given, as the port demands; so a rolled-back change has no entry. */
export function tableAudit(db: Database): AuditLog {
  return {
    record: async (entry: AuditEntry, executor = db) => {
      await sql`insert into test_audit (action, id, reason, details)
        values (${entry.action}, ${entry.subject.id}, ${entry.reason}, ${JSON.stringify(entry.details)})`.execute(
        executor,
      );
    },
  };
}

export async function testBlobs(options: Partial<BlobsOptions> = {}): Promise<TestBlobs> {
  const { db, url, close } = await testDatabase();
  await sql`create table test_audit (seq bigserial, action text, id text, reason text, details jsonb)`.execute(db);
  const folder = mkdtempSync(join(MEMORY_DISK, 'isocenter-blobs-'));
  const store = options.store ?? (await openFileStore(join(folder, 'blobs')));
  let offset = 0;
  const usual: BlobsOptions = {
    db,
    store,
    audit: tableAudit(db),
    reserveBytes: 0,
    copyFolder: join(folder, 'copies'),
    clock: () => new Date(Date.now() + offset),
  };
  return {
    db,
    url,
    store,
    folder,
    blobs: await openBlobs({ ...usual, ...options }),
    pass: (ms) => {
      offset += ms;
    },
    another: (others = {}) => openBlobs({ ...usual, ...options, ...others }),
    audited: async () => {
      const { rows } = await sql<{ action: string; id: string; reason: string; details: Record<string, unknown> }>`
        select action, id, reason, details from test_audit order by seq`.execute(db);
      return rows;
    },
    close: async () => {
      await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function* text(value: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(value);
}

export function write(blobs: Blobs, purpose: BlobPurpose, value = purpose as string) {
  return blobs.write(text(value), { purpose, actor: TESTER });
}

export async function readText(blobs: Blobs, id: string): Promise<string> {
  const { stream } = await blobs.open(id);
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
}

export function job(id = 'j1'): BlobOwner {
  return { kind: 'job', id };
}

export async function keyOf({ db }: TestBlobs, id: string): Promise<BlobKey> {
  const { key } = await db.selectFrom('blob').select('key').where('id', '=', id).executeTakeFirstOrThrow();
  return blobKey(key);
}

/** The same store without what only files have: like one that is elsewhere. */
export function elsewhere(store: BlobStore): BlobStore {
  return {
    kind: 's3',
    put: (...put) => store.put(...put),
    get: (...get) => store.get(...get),
    head: (key) => store.head(key),
    list: (prefix) => store.list(prefix),
    delete: (key) => store.delete(key),
  };
}
