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
}
