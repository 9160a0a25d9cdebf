/** What every test that needs a database relies on. */
import { afterAll, describe, expect, it } from 'vitest';
import { migrations } from './migrations/index.js';
import { type TestDatabase, testDatabase } from './test-database.suite.js';

describe('a test database', () => {
  const open: TestDatabase[] = [];
  afterAll(() => Promise.all(open.map((database) => database.close())));
  const fresh = async () => {
    const database = await testDatabase();
    open.push(database);
    return database;
  };

  it('is fully migrated', async () => {
    const { db } = await fresh();
    const rows = await db.selectFrom('schema_migration').select('name').orderBy('position').execute();
    expect(rows.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name));
  });

  it('shares nothing with another one', async () => {
    const [a, b] = await Promise.all([fresh(), fresh()]);
    await a.db.insertInto('setting').values({ key: 'k', value: '1', updated_by: 'test' }).execute();
    expect(await b.db.selectFrom('setting').selectAll().execute()).toEqual([]);
    expect(await a.db.selectFrom('setting').select('value').execute()).toEqual([{ value: 1 }]);
  });

  it('gives counts as numbers and refuses to round', async () => {
    const { pool } = await fresh();
    expect((await pool.query('select count(*) as n from setting')).rows).toEqual([{ n: 0 }]);
    await expect(pool.query('select 9007199254740993::bigint as n')).rejects.toThrow('cannot hold');
  });
});
