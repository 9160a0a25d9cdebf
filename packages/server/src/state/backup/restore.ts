/**
 * `isocenter restore`: a backup becomes the state of a server that has none yet, built-in or external. One transaction makes the
 * schema of the backup, loads its rows and brings them up to this program: it is all there, or nothing.
 */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database, Tables } from '../database.js';
import { applyMigrations, lockSchema } from '../migrate.js';
import { migrations } from '../migrations/index.js';
import { type OpenStateOptions, openState, type State } from '../open-state.js';
import { StateError } from '../state-error.js';
import type { BackupBlob, BlobTarget } from './backup-blobs.js';
import { readImmediateForeignKeys, readTables } from './catalogue.js';
import type { Manifest, TableEntry } from './manifest.js';
import { type OpenedBackup, openBackup } from './read-backup.js';

export interface RestoreOptions extends OpenStateOptions {
  /** The backup. */
  readonly path: string;
  readonly blobs: BlobTarget;
  /** Looks at the opened backup before anything happens; what it throws ends the restore. */
  readonly inspect?: (backup: OpenedBackup) => Promise<void>;
  /** For each job that was queued or running: its queue message was not copied. */
  readonly requeue: (jobId: string, state: State) => Promise<void>;
}

export interface RestoreReport {
  /** Open; the caller closes it. */
  readonly state: State;
  readonly createdAt: string;
  readonly rows: number;
  readonly blobs: number;
  readonly requeued: number;
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
}

/** Throws StateError `bad-backup`, `not-empty`, `program-too-old` and those of openState; then database and blobs are as before. */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const backup = await openBackup(options.path);
  try {
    const { manifest } = backup;
    await options.inspect?.(backup);
    const state = await openState({ ...options, prepare: (db) => load(db, backup, options.blobs) });
    try {
      const unfinished = await state.db
        .selectFrom('job')
        .select('id')
        .where('state', 'in', ['queued', 'running'])
        .orderBy('created_at')
        .execute();
      for (const { id } of unfinished) await options.requeue(id, state);
      return {
        state,
        createdAt: manifest.createdAt,
        rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
        blobs: manifest.blobs.length,
        requeued: unfinished.length,
        missing: manifest.missing,
        damaged: manifest.damaged,
      };
    } catch (error) {
      await state.close();
      throw error;
    }
  } finally {
    await backup.close();
  }
}

async function load(db: Database, backup: OpenedBackup, blobs: BlobTarget): Promise<void> {
  const { manifest } = backup;
  const unknown = manifest.migrations.findIndex((name, position) => migrations[position]?.name !== name);
  if (unknown >= 0) {
    throw new StateError('program-too-old', 'This backup was made by a newer version of Isocenter.', {
      where: manifest.migrations[unknown],
      next: 'Restore it with that version, or a newer one.',
    });
  }
  const put: BackupBlob[] = [];
  try {
    await db.transaction().execute(async (transaction) => {
      await lockSchema(transaction);
      await refuseUnlessEmpty(transaction);
      await applyMigrations(transaction, migrations.slice(0, manifest.migrations.length));
      await loadRows(transaction, backup);
      for (const blob of manifest.blobs) {
        put.push(blob);
        await blobs.put(blob, bytesOf(backup, blob.parts));
      }
      await applyMigrations(transaction, migrations);
    });
  } catch (error) {
    for (const blob of put) await blobs.discard(blob).catch(() => undefined);
    throw error;
  }
}

async function* bytesOf(backup: OpenedBackup, parts: Manifest['blobs'][number]['parts']): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await backup.read(part);
}

async function refuseUnlessEmpty(transaction: Transaction<Tables>): Promise<void> {
  const [table] = await readTables(transaction);
  if (!table) return;
  throw new StateError('not-empty', 'A backup is restored into an empty database only, and this one has tables.', {
    where: table.name,
    next: 'Give an empty data directory (--home) or an empty database (DATABASE_URL).',
  });
}

async function loadRows(transaction: Transaction<Tables>, backup: OpenedBackup): Promise<void> {
  const { manifest } = backup;
  await sql`set local timezone = 'UTC'`.execute(transaction);
  await sql`set local datestyle = 'ISO, YMD'`.execute(transaction);
  await sql`set local intervalstyle = 'iso_8601'`.execute(transaction);
  const tables = await readTables(transaction);
  const names = tables.map(({ name }) => sql.table(name));
  // Triggers chain and guard what is written by the server; here it is brought back as it was. References are checked at the end.
  const keys = await readImmediateForeignKeys(transaction);
  for (const { name } of tables) await sql`alter table ${sql.table(name)} disable trigger user`.execute(transaction);
  // Rows that the migrations made (an installation id, the head of the audit chain) are in the backup too, with their own values.
  await sql`truncate ${sql.join(names)}`.execute(transaction);
  for (const { table, name } of keys) {
    await sql`alter table ${sql.table(table)} alter constraint ${sql.ref(name)} deferrable initially deferred`.execute(
      transaction,
    );
  }
  for (const entry of manifest.tables) {
    const types = tables.find(({ name }) => name === entry.name)?.columns;
    if (!types) throw contradiction(entry.name);
    await loadTable(transaction, entry, new Map(types.map(({ name, type }) => [name, type])), backup);
  }
  await sql`set constraints all immediate`.execute(transaction);
  for (const { table, name } of keys) {
    await sql`alter table ${sql.table(table)} alter constraint ${sql.ref(name)} not deferrable`.execute(transaction);
  }
  for (const { name } of tables) await sql`alter table ${sql.table(name)} enable trigger user`.execute(transaction);
  for (const { name, last, called } of manifest.sequences) {
    await sql`select setval(${sql.lit(name)}::regclass, ${last}::bigint, ${called})`.execute(transaction);
  }
}

async function loadTable(
  transaction: Kysely<Tables>,
  entry: TableEntry,
  types: ReadonlyMap<string, string>,
  backup: OpenedBackup,
): Promise<void> {
  const columns = entry.columns.map((name, index) => {
    const type = types.get(name);
    if (type === undefined) throw contradiction(`${entry.name}.${name}`);
    // The type's name comes from the catalogue of this database, not from the file.
    return { into: sql.ref(name), value: sql`(r.v ->> ${sql.lit(index)})::${sql.raw(type)}` };
  });
  let loaded = 0;
  for (const part of entry.parts) {
    const text = Buffer.from(await backup.read(part)).toString();
    const array = `[${text.trimEnd().replaceAll('\n', ',')}]`;
    const { numAffectedRows } = await sql`
      insert into ${sql.table(entry.name)} (${sql.join(columns.map(({ into }) => into))}) overriding system value
      select ${sql.join(columns.map(({ value }) => value))} from json_array_elements(${array}::json) as r(v)`.execute(
      transaction,
    );
    loaded += Number(numAffectedRows ?? 0);
  }
  if (loaded !== entry.rows) throw contradiction(entry.name);
}

function contradiction(where: string): StateError {
  return new StateError('bad-backup', 'The backup contradicts its own schema version.', {
    where,
    next: 'Use another backup, and report this.',
  });
}
