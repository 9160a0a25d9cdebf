/** The schema only goes forward, once, whole; and nothing is touched that a newer program has made. */
import { type Kysely, sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { createDatabase, createPool } from './connect.js';
import { checkMigrated, migrate } from './migrate.js';
import { type Migration, migrations } from './migrations/index.js';
import { type TestDatabase, testDatabase } from './test-database.suite.js';

const table = (name: string): Migration => ({
  name,
  up: async (db: Kysely<unknown>) => {
    // Long enough that a second server which did not wait would be in the middle of it.
    await sql`select pg_sleep(0.05)`.execute(db);
    await sql`create table ${sql.ref(`t_${name}`)} (id integer)`.execute(db);
  },
});
const broken: Migration = { name: '2', up: async (db) => void (await sql`select 1 from nowhere`.execute(db)) };

describe('migrations', () => {
  const open: TestDatabase[] = [];
  afterEach(() => Promise.all(open.splice(0).map((database) => database.close())));
  const empty = async () => {
    const database = await testDatabase({ migrated: false });
    open.push(database);
    return database;
  };
  const tables = async ({ pool }: TestDatabase) =>
    (await pool.query("select tablename as t from pg_tables where schemaname = 'public' order by 1")).rows.map(
      ({ t }) => t,
    );

  it('run once when two servers start at the same moment on one database', async () => {
    const first = await empty();
    const second = createDatabase(createPool(first.url));
    const list = ['0', '1', '2'].map(table);
    const ran = await Promise.all([migrate(first.db, list), migrate(second, list), migrate(second, list)]);
    await second.destroy();
    expect(ran.flat()).toEqual(['0', '1', '2']);
    expect(await tables(first)).toEqual(['schema_migration', 't_0', 't_1', 't_2']);
  });

  it('go on where an older program stopped', async () => {
    const database = await empty();
    expect(await migrate(database.db, [table('0')])).toEqual(['0']);
    expect(await migrate(database.db, [table('0'), table('1')])).toEqual(['1']);
    expect(await migrate(database.db, [table('0'), table('1')])).toEqual([]);
  });

  it('leave nothing behind when one fails', async () => {
    const database = await empty();
    await migrate(database.db, [table('0')]);
    await expect(migrate(database.db, [table('0'), table('1'), broken])).rejects.toMatchObject({
      kind: 'migration-failed',
      where: '2',
      message: expect.stringContaining('nowhere'),
    });
    expect(await tables(database)).toEqual(['schema_migration', 't_0']);
    expect(await migrate(database.db, [table('0'), table('1')])).toEqual(['1']);
  });

  it('refuse a database of a newer program, and one of a strange program', async () => {
    const database = await empty();
    await migrate(database.db, [table('0'), table('1')]);
    await expect(migrate(database.db, [table('0')])).rejects.toMatchObject({ kind: 'program-too-old', where: '1' });
    await expect(migrate(database.db, [table('0'), table('x'), table('y')])).rejects.toMatchObject({
      kind: 'program-too-old',
      where: 'migration 1 is 1, expected x',
    });
    expect(await tables(database)).toEqual(['schema_migration', 't_0', 't_1']);
  });

  it('are the business of servers: a worker of another version is told so', async () => {
    const database = await empty();
    await expect(checkMigrated(database.db, [table('0')])).rejects.toMatchObject({ kind: 'not-migrated' });
    expect(await tables(database)).toEqual([]);
    await migrate(database.db, [table('0')]);
    await checkMigrated(database.db, [table('0')]);
    await expect(checkMigrated(database.db, [table('0'), table('1')])).rejects.toMatchObject({ kind: 'not-migrated' });
    await expect(checkMigrated(database.db, [])).rejects.toMatchObject({ kind: 'program-too-old' });
  });

  it('are listed in the order of their names, each once', () => {
    const names = migrations.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
  });
});
