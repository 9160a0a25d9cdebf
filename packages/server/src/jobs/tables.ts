/** Tables of jobs, as state/migrations/0005-jobs.ts makes them. */
import type { Generated, JSONColumnType } from 'kysely';
import type { JobFailure, JobState } from './job.js';

type Json<T> = JSONColumnType<T & object, string, string>;
type NullableJson<T> = JSONColumnType<(T & object) | null, string | null, string | null>;

export interface JobTable {
  id: string;
  kind: string;
  state: JobState;
  priority: number;
  protocol: string;
  requester_kind: string;
  requester_id: string;
  requester_name: string;
  model: string | null;
  model_version_id: string | null;
  input_blob_ids: string[];
  inputs_kept: boolean;
  inputs_kept_until: Date | null;
  input_bytes: string | number | null;
  parameters: Json<Record<string, unknown>>;
  request_id: string | null;
  external_id: string | null;
  idempotency_key: string | null;
  attempts: Generated<number>;
  max_attempts: number;
  message_id: string | null;
  worker: string | null;
  claim: string | null;
  cancel_requested_at: Date | null;
  cancel_reason: string | null;
  step: Generated<string>;
  fraction: Generated<number>;
  seconds_left: number | null;
  step_seconds: NullableJson<Record<string, number>>;
  failure: NullableJson<JobFailure>;
  report: NullableJson<unknown>;
  created_at: Generated<Date>;
  started_at: Date | null;
  finished_at: Date | null;
  results_erased_at: Date | null;
}

export interface JobFileTable {
  job_id: string;
  ordinal: number;
  name: string;
  media_type: string;
  bytes: string | number;
  sha256: string;
  blob_id: string;
}

export interface JobWorkerTable {
  id: string;
  host: string;
  pid: number;
  slots: number;
  started_at: Generated<Date>;
  heartbeat_at: Generated<Date>;
}

export interface JobTables {
  job: JobTable;
  job_file: JobFileTable;
  job_worker: JobWorkerTable;
}
