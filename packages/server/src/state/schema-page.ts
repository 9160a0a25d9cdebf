/** docs/reference/database.md as text, from a migrated database: what is there, not what somebody meant to make. */
import { type Kysely, sql } from 'kysely';

interface Row {
  readonly table: string;
  readonly about: string | null;
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly meaning: string | null;
}

const shortTypes: readonly (readonly [RegExp, string])[] = [
  [/^timestamp(\(\d\))? with time zone$/, 'timestamptz'],
  [/^double precision$/, 'float8'],
];

export async function schemaPage<T>(db: Kysely<T>): Promise<string> {
  const { rows } = await sql<Row>`
    select c.relname as table, obj_description(c.oid, 'pg_class') as about, a.attname as column,
      format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable, col_description(c.oid, a.attnum) as meaning
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`.execute(db);
  const { rows: keys } = await sql<{ readonly table: string; readonly key: string }>`
    select conrelid::regclass::text as table, pg_get_constraintdef(oid) as key from pg_constraint
    where contype in ('p', 'f', 'u') and connamespace = current_schema()::regnamespace
    order by 1, position(contype::text in 'puf'), 2`.execute(db);
  const tables = [...new Set(rows.map(({ table }) => table))].map((table) => {
    const columns = rows.filter((row) => row.table === table);
    const lines = columns.map(
      ({ column, type, nullable, meaning }) =>
        `| \`${column}\` | ${short(type)}${nullable ? '?' : ''} | ${meaning ?? ''} |`,
    );
    const constraints = keys.filter((key) => key.table === table).map(({ key }) => `\`${key}\``);
    return `## ${table}

${columns[0]?.about ?? ''}

| column | type | meaning |
|---|---|---|
${lines.join('\n')}

${constraints.join(', ')}
`;
  });
  return `# The database

Made from a migrated database (\`packages/server/src/state/schema-page.ts\`). \`?\` after a type: may be null. The queue's own tables
lie in the schema \`pgboss\` and are the business of pg-boss. Images and results are not in the database but in the blob store.
Programs other than Isocenter may read, not write: the REST API is the door for changes.

${tables.join('\n')}`;
}

function short(type: string): string {
  return shortTypes.find(([pattern]) => pattern.test(type))?.[1] ?? type;
}
