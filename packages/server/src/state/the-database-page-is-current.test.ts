/** docs/reference/database.md says what every table and column is for, and is what the migrations make. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCurrent } from '../../../../tools/test/current-page.js';
import { readTables } from './backup/catalogue.js';
import { schemaPage } from './schema-page.js';
import { schemaWords } from './schema-words.js';
import { type TestDatabase, testDatabase } from './test-database.suite.js';

describe('docs/reference/database.md', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  it('has a sentence for every table and column', async () => {
    const { rows } = await sql<{ readonly name: string }>`
      select c.relname || coalesce('.' || a.attname, '') as name
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum >= 0 and not a.attisdropped
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
        and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
      order by 1`.execute(database.db);
    expect(rows.map(({ name }) => name)).toEqual([]);
  });

  it('speaks of no table and column that is gone', async () => {
    const tables = new Map(
      (await readTables(database.db)).map(({ name, columns }) => [name, columns.map((c) => c.name)]),
    );
    for (const [name, { columns }] of Object.entries(schemaWords)) {
      expect(tables.get(name), name).toEqual(expect.arrayContaining(Object.keys(columns)));
    }
  });

  it('is what the migrations make', async () => {
    expectCurrent('docs/reference/database.md', await schemaPage(database.db));
  });
});
