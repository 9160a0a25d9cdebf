/** What PostgreSQL says about our tables: columns, sequences, foreign keys. Tables of pg-boss lie in a schema of their own. */
import { type Kysely, sql } from 'kysely';

export interface Column {
  readonly name: string;
  /** As SQL writes it, e.g. `timestamp(3) with time zone`. */
  readonly type: string;
}

export interface CatalogueTable {
  readonly name: string;
  /** Without those that PostgreSQL computes from others. */
  readonly columns: readonly Column[];
}

export async function readTables<T>(db: Kysely<T>): Promise<readonly CatalogueTable[]> {
  const { rows } = await sql<{ readonly table: string; readonly name: string; readonly type: string }>`
    select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by c.relname, a.attnum`.execute(db);
  const tables = new Map<string, Column[]>();
  for (const { table, name, type } of rows) {
    const columns = tables.get(table) ?? [];
    columns.push({ name, type });
    tables.set(table, columns);
  }
  return [...tables].map(([name, columns]) => ({ name, columns }));
}

export interface Sequence {
  readonly name: string;
  /** As text: a bigint. */
  readonly last: string;
  readonly called: boolean;
}

export async function readSequences<T>(db: Kysely<T>): Promise<readonly Sequence[]> {
  const { rows: names } = await sql<{ readonly name: string }>`
    select relname as name from pg_class
    where relkind = 'S' and relnamespace = current_schema()::regnamespace order by relname`.execute(db);
  const sequences: Sequence[] = [];
  for (const { name } of names) {
    const { rows } = await sql<{ readonly last: string; readonly called: boolean }>`
      select last_value::text as last, is_called as called from ${sql.ref(name)}`.execute(db);
    sequences.push(...rows.map((row) => ({ name, ...row })));
  }
  return sequences;
}

export interface ForeignKey {
  readonly table: string;
  readonly name: string;
}

/** Those that are checked at once, which a load in any order of tables would trip over. */
export async function readImmediateForeignKeys<T>(db: Kysely<T>): Promise<readonly ForeignKey[]> {
  const { rows } = await sql<ForeignKey>`
    select c.relname as table, k.conname as name
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.contype = 'f' and not k.condeferrable and k.connamespace = current_schema()::regnamespace
    order by 1, 2`.execute(db);
  return rows;
}
