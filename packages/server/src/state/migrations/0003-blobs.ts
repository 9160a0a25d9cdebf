/** Blobs: rows that precede their bytes, so that nothing can be lost sight of. Only the blobs area reads these tables. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Keys begin with this id: installations that share a bucket never take each other's objects for leavings.
  await sql`create table blob_installation (id uuid not null)`.execute(db);
  await sql`insert into blob_installation (id) values (gen_random_uuid())`.execute(db);

  await sql`create table blob (
    id uuid primary key,
    key text not null unique,
    purpose text not null,
    state text not null check (state in ('writing', 'stored', 'erasing', 'erased')),
    bytes bigint,
    sha256 text,
    created_at timestamptz not null,
    created_by_kind text not null,
    created_by text not null,
    due_at timestamptz,
    released_at timestamptz,
    release_reason text,
    failures integer not null default 0,
    erased_at timestamptz
  )`.execute(db);
  // When the sweeper must act, whatever the state; null: somebody keeps it.
  await sql`comment on column blob.due_at is
    'writing: end of the writer''s lease; stored: when it counts as abandoned, or its release; erasing: next attempt; erased: when the row goes'`.execute(
    db,
  );
  await sql`create index blob_due on blob (due_at) where due_at is not null`.execute(db);

  await sql`create table blob_owner (
    blob_id uuid not null references blob (id) on delete cascade,
    kind text not null,
    owner_id text not null,
    kept_at timestamptz not null,
    released_at timestamptz,
    primary key (blob_id, kind, owner_id)
  )`.execute(db);
  await sql`create index blob_owner_by_owner on blob_owner (kind, owner_id)`.execute(db);

  // Readers of a file on their machine; a lease, because readers die too.
  await sql`create table blob_use (
    id uuid primary key,
    blob_id uuid not null references blob (id) on delete cascade,
    until timestamptz not null
  )`.execute(db);
  await sql`create index blob_use_by_blob on blob_use (blob_id)`.execute(db);
}
