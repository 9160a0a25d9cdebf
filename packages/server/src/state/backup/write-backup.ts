/**
 * `isocenter backup`: all tables of one snapshot and the blobs they refer to in one zip, while the server runs. No pg_dump: npm does
 * not install one, and a file that only one version of PostgreSQL reads is no way from built-in to external.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { link, open, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ZipStreamed, zipStream } from '@isocenter/formats';
import { sql, type Transaction } from 'kysely';
import type { Tables } from '../database.js';
import type { State } from '../open-state.js';
import { StateError } from '../state-error.js';
import type { BackupBlob, BlobSource } from './backup-blobs.js';
import { blobParts } from './blob-parts.js';
import { readSequences, readTables } from './catalogue.js';
import { MANIFEST, MANIFEST_HASH, type Manifest } from './manifest.js';
import { tableParts } from './table-parts.js';

export interface BackupReport {
  readonly bytes: number;
  readonly tables: number;
  readonly rows: number;
  readonly blobs: number;
  /** Ids whose bytes are not in the backup: erased while it ran, or no longer what their hash says. */
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
}

/** JSON packs well at any level; more would only take time. */
const COMPRESSION_LEVEL = 3;

/** `path` must not exist; it appears when it is whole and on the disk, for its owner only. Throws StateError `backup-failed`. */
export async function backup(
  state: Pick<State, 'db' | 'installationId'>,
  blobs: BlobSource,
  path: string,
  now: () => Date = () => new Date(),
): Promise<BackupReport> {
  if (await stat(path).catch(() => undefined))
    throw failed('There is a file of this name already.', 'Choose another name.');
  // A name that nobody can have prepared, and that two backups at once do not share.
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    const manifest = await state.db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute((snapshot) => begin(snapshot, state.installationId, blobs, unfinished, now()))
      .then(({ written }) => written);
    const file = await open(unfinished, 'r');
    await file.sync();
    const { size } = await file.stat();
    await file.close();
    // Unlike a rename, a link never replaces what somebody put there in the meantime.
    await link(unfinished, path);
    return {
      bytes: size,
      tables: manifest.tables.length,
      rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
      blobs: manifest.blobs.length,
      missing: manifest.missing,
      damaged: manifest.damaged,
    };
  } catch (error) {
    if (error instanceof StateError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw failed(
      `The backup could not be written (${code ?? (error as Error).message}).`,
      'Check the disk and its space.',
      error,
    );
  } finally {
    await rm(unfinished, { force: true });
  }
}

function failed(message: string, next: string, cause?: unknown): StateError {
  return new StateError('backup-failed', message, { next, cause });
}

/**
 * Resolves when all tables have been read, so that the snapshot can end (an old snapshot keeps dead rows alive); `written` resolves
 * when the blobs are in the file too. Wrapped in an object, or the transaction would wait for it.
 */
async function begin(
  snapshot: Transaction<Tables>,
  installationId: string,
  source: BlobSource,
  path: string,
  now: Date,
): Promise<{ readonly written: Promise<Manifest> }> {
  await sql`set local statement_timeout = 0`.execute(snapshot);
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(snapshot);
  // What a cast to text depends on; restore sets the same.
  await sql`set local timezone = 'UTC'`.execute(snapshot);
  await sql`set local datestyle = 'ISO, YMD'`.execute(snapshot);
  await sql`set local intervalstyle = 'iso_8601'`.execute(snapshot);
  const migrations = await snapshot.selectFrom('schema_migration').select('name').orderBy('position').execute();
  const manifest: Manifest = {
    format: 'isocenter-backup',
    version: 1,
    createdAt: now.toISOString(),
    installationId,
    migrations: migrations.map(({ name }) => name),
    tables: [],
    sequences: [...(await readSequences(snapshot))],
    blobs: [],
    missing: [],
    damaged: [],
  };
  const contents: ZipStreamed[] = [];
  for (const table of await readTables(snapshot))
    contents.push(...(await tableParts(snapshot, table, manifest.tables)));
  const listed: BackupBlob[] = [];
  for await (const blob of source.list(snapshot)) listed.push(blob);
  contents.push(...listed.flatMap((blob) => blobParts(blob, source, manifest)));
  contents.push(...manifestContents(manifest));
  const tablesRead = new AbortController();
  const marked = contents.map((content) => ({
    ...content,
    open: () => {
      if (!content.name.startsWith('tables/')) tablesRead.abort();
      return content.open();
    },
  }));
  const written = pipeline(
    zipStream(marked, { level: COMPRESSION_LEVEL }) as Readable,
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
  ).then(() => manifest);
  await Promise.race([once(tablesRead.signal, 'abort'), written]);
  return { written };
}

function manifestContents(manifest: Manifest): ZipStreamed[] {
  let text = '';
  return [
    {
      name: MANIFEST,
      open: async () => {
        text = JSON.stringify(manifest, undefined, 1);
        return Readable.from([Buffer.from(text)]);
      },
    },
    {
      name: MANIFEST_HASH,
      open: async () => Readable.from([Buffer.from(createHash('sha256').update(text).digest('hex'))]),
    },
  ];
}
