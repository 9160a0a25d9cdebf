/**
 * Jobs, their result files, and the workers that are alive. What waits is a pg-boss message as well (its own schema,
 * made by pg-boss itself); a message exists if and only if its job is `queued`.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table job (
      id uuid primary key,
      kind text not null,
      state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
      priority smallint not null,
      protocol text not null,
      requester_kind text not null,
      requester_id text not null,
      requester_name text not null,
      model text,
      model_version_id text,
      input_blob_ids uuid[] not null,
      /* Set while the inputs are still there: until the job ends, or until a failed job's grace is over. */
      inputs_kept boolean not null,
      inputs_kept_until timestamptz(3),
      input_bytes bigint,
      parameters jsonb not null,
      request_id text,
      idempotency_key text,
      attempts smallint not null default 0,
      max_attempts smallint not null check (max_attempts > 0),
      message_id uuid,
      worker uuid,
      /* New at each taking: who does not hold it may write nothing. */
      claim uuid,
      cancel_requested_at timestamptz(3),
      cancel_reason text,
      step text not null default '',
      fraction real not null default 0,
      seconds_left real,
      step_seconds jsonb,
      failure jsonb,
      report jsonb,
      /* Milliseconds, because a cursor passes through JavaScript's Date. */
      created_at timestamptz(3) not null default clock_timestamp(),
      started_at timestamptz(3),
      finished_at timestamptz(3),
      results_erased_at timestamptz(3)
    ) with (fillfactor = 80)`.execute(db);
  // One index per filter of the list, each in the order of its pages.
  await sql`create index job_newest on job (created_at desc, id desc)`.execute(db);
  await sql`create index job_by_state on job (state, created_at desc, id desc)`.execute(db);
  await sql`create index job_by_requester on job (requester_id, created_at desc, id desc)`.execute(db);
  await sql`create index job_by_model on job (model, created_at desc, id desc)`.execute(db);
  await sql`create index job_by_protocol on job (protocol, created_at desc, id desc)`.execute(db);
  await sql`create unique index job_once on job (requester_kind, requester_id, idempotency_key)
    where idempotency_key is not null`.execute(db);
  await sql`create index job_waiting on job (kind, priority desc, created_at, id) where state = 'queued'`.execute(db);
  await sql`create index job_running on job (worker) where state = 'running'`.execute(db);
  await sql`create index job_learnt on job (kind, model, finished_at desc) where state = 'succeeded'`.execute(db);
  await sql`create index job_inputs_kept_until on job (inputs_kept_until) where inputs_kept_until is not null`.execute(
    db,
  );
  await sql`create index job_results on job (protocol, finished_at)
    where state = 'succeeded' and results_erased_at is null`.execute(db);

  await sql`
    create table job_file (
      job_id uuid not null references job (id) on delete cascade,
      ordinal smallint not null,
      name text not null,
      media_type text not null,
      bytes bigint not null,
      sha256 text not null,
      blob_id uuid not null,
      primary key (job_id, ordinal)
    )`.execute(db);

  await sql`
    create table job_worker (
      id uuid primary key,
      host text not null,
      pid integer not null,
      slots smallint not null,
      started_at timestamptz(3) not null default clock_timestamp(),
      heartbeat_at timestamptz not null default clock_timestamp()
    ) with (fillfactor = 50)`.execute(db);
}
