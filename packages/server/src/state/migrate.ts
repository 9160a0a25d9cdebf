/**
 * Brings a database to the schema of this program: forward only, all missing migrations in one transaction, one server at a time.
 * A database that a newer program has migrated is refused untouched.
 */
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Migration, migrations as ours } from './migrations/index.js';
import { writeSchemaWords } from './schema-words.js';
import { StateError } from './state-error.js';
import type { StateTables } from './tables.js';

/** Any number that no other program on the same database uses for its advisory lock: 'iso' and 'mig' in ASCII. */
const LOCK = 0x69_73_6f_6d_69_67;

/** Resolves with the names it ran. Throws StateError `program-too-old`, `migration-failed`, `refused`; then nothing has changed. */
export async function migrate<T>(db: Kysely<T>, list: readonly Migration[] = ours): Promise<readonly string[]> {
  return db.transaction().execute(async (transaction) => {
    await lockSchema(transaction);
    return applyMigrations(transaction, list);
  });
}

/** Until the end of the transaction no other server changes the schema. */
export async function lockSchema<T>(transaction: Transaction<T>): Promise<void> {
  // Waiting for the other server, and rewriting a large table, may take longer than a query of a request.
  await sql`set local statement_timeout = 0`.execute(transaction);
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(transaction);
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
}

/** In the caller's transaction, who holds the lock or has the database alone. Errors as `migrate`. */
export async function applyMigrations<T>(
  transaction: Transaction<T>,
  list: readonly Migration[],
): Promise<readonly string[]> {
  const db = transaction as unknown as Transaction<StateTables>;
  const missing = await missingMigrations(db, list);
  for (const [offset, { name, up }] of missing.entries()) {
    try {
      await up(db as unknown as Kysely<unknown>);
    } catch (cause) {
      throw new StateError(
        'migration-failed',
        `The database could not be brought up to date: ${(cause as Error).message}`,
        {
          where: name,
          next: 'Nothing was changed. Start the version that ran before, and report this with the log.',
          cause,
        },
      );
    }
    const position = list.length - missing.length + offset;
    await db.insertInto('schema_migration').values({ name, position }).execute();
  }
  if (missing.length > 0) await writeSchemaWords(db);
  return missing.map(({ name }) => name);
}

/** For programs that only use the schema. Throws StateError `not-migrated`, `program-too-old`. */
export async function checkMigrated<T>(db: Kysely<T>, list: readonly Migration[] = ours): Promise<void> {
  const missing = await missingMigrations(db as unknown as Kysely<StateTables>, list, false);
  if (missing.length === 0) return;
  throw new StateError('not-migrated', 'This database is older than the program.', {
    where: missing[0]?.name,
    next: 'Start the server of this version once; it brings the database up to date.',
  });
}

async function missingMigrations(
  db: Kysely<StateTables>,
  list: readonly Migration[],
  create = true,
): Promise<readonly Migration[]> {
  const { rows } = await sql<{ readonly there: boolean }>`
    select to_regclass('schema_migration') is not null as there`.execute(db);
  if (!rows[0]?.there) {
    if (!create) return list;
    await createMigrationTable(db);
  }
  const applied = await db.selectFrom('schema_migration').select('name').orderBy('position').execute();
  for (const [position, { name }] of applied.entries()) {
    const expected = list[position]?.name;
    if (expected === name) continue;
    if (expected === undefined) {
      throw new StateError('program-too-old', 'This database was written by a newer version of Isocenter.', {
        where: name,
        next: 'Start that version, or a newer one. To go back, restore a backup that was made before the update.',
      });
    }
    throw new StateError(
      'program-too-old',
      'This database was written by a version of Isocenter that this one does not know.',
      {
        where: `migration ${position} is ${name}, expected ${expected}`,
        next: 'Start the version that wrote it.',
      },
    );
  }
  return list.slice(applied.length);
}

async function createMigrationTable(db: Kysely<StateTables>): Promise<void> {
  await sql`create table schema_migration (
    name text primary key,
    position integer not null unique,
    applied_at timestamptz not null default now()
  )`.execute(db);
}
