/** Settings and facts of the installation. */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table setting (
    key text primary key,
    value jsonb not null,
    updated_at timestamptz not null default now(),
    updated_by text not null
  )`.execute(db);
  await sql`create table installation (
    id uuid not null,
    created_at timestamptz not null default now(),
    singleton boolean primary key default true check (singleton)
  )`.execute(db);
  await sql`insert into installation (id) values (${randomUUID()}::uuid)`.execute(db);
  for (const [object, comment] of [
    ['table setting', 'What administrators set while the server runs, over what its configuration says.'],
    ['column setting.key', 'Dotted name, e.g. images.retention.'],
    ['column setting.value', 'JSON of the schema that the program has for the key.'],
    ['column setting.updated_at', 'When it was last set.'],
    ['column setting.updated_by', 'Id of the actor who set it.'],
    ['table installation', 'One row: which installation this database belongs to.'],
    ['column installation.id', 'Random, made once; part of names that must differ between installations.'],
    ['column installation.created_at', 'When the database was first migrated.'],
    ['column installation.singleton', 'Keeps the table at one row.'],
  ] as const) {
    await sql`comment on ${sql.raw(object)} is ${sql.lit(comment)}`.execute(db);
  }
}
