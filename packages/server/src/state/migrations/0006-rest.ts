/** What only the REST API has: uploaded studies and the jobs made of them, feedback of people, telemetry of clients. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table study (
      id uuid primary key,
      number bigint generated always as identity unique,
      blob_id uuid not null,
      bytes bigint not null,
      sha256 text not null,
      created_by_kind text not null,
      created_by_id text not null,
      created_by_name text not null,
      created_at timestamptz(3) not null default clock_timestamp(),
      /* Moved by each use; erased when it has passed and no job runs on the study. */
      expires_at timestamptz(3) not null
    )`.execute(db);
  await sql`create index study_by_owner on study (created_by_id, number desc)`.execute(db);
  await sql`create index study_expiry on study (expires_at)`.execute(db);
  await sql`
    create table study_job (
      study_id uuid not null references study (id) on delete cascade,
      job_id uuid not null,
      primary key (study_id, job_id)
    )`.execute(db);

  await sql`
    create table feedback (
      id uuid primary key,
      number bigint generated always as identity unique,
      /* The door it came through: rest, segint … */
      protocol text not null,
      /* Id of the job as text: old protocols let clients name jobs that are gone. */
      job_id text,
      model text,
      client text,
      accepted boolean not null,
      comments text,
      score double precision,
      structures jsonb not null,
      created_by_kind text not null,
      created_by_id text not null,
      created_by_name text not null,
      created_at timestamptz(3) not null default clock_timestamp()
    )`.execute(db);
  await sql`create index feedback_by_job on feedback (job_id, number desc)`.execute(db);
  await sql`create index feedback_by_model on feedback (model, number desc)`.execute(db);

  await sql`
    create table telemetry (
      id uuid primary key,
      number bigint generated always as identity unique,
      protocol text not null,
      job_id text,
      model text,
      client text,
      upload_ms bigint,
      wait_ms bigint,
      download_ms bigint,
      retries bigint,
      error text not null,
      error_information text,
      created_by_kind text not null,
      created_by_id text not null,
      created_by_name text not null,
      created_at timestamptz(3) not null default clock_timestamp()
    )`.execute(db);
  await sql`create index telemetry_by_job on telemetry (job_id, number desc)`.execute(db);
  await sql`create index telemetry_by_model on telemetry (model, number desc)`.execute(db);
}
