/** From rows to the words of jobs/job.ts. */
import type { Selectable } from 'kysely';
import type { Actor } from '../accounts/actor.js';
import type { Executor } from '../state/database.js';
import type { Job, JobFailure, ResultFile } from './job.js';
import type { JobTable } from './tables.js';

export type JobRow = Selectable<JobTable>;

/** Undefined when there is none. */
export async function readJob(db: Executor, id: string): Promise<Job | undefined> {
  return (await readJobs(db, [id]))[0];
}

export async function readJobs(db: Executor, ids: readonly string[]): Promise<Job[]> {
  if (ids.length === 0) return [];
  return withFiles(db, await db.selectFrom('job').selectAll().where('id', 'in', ids).execute());
}

/** In the order of the rows. */
export async function withFiles(db: Executor, rows: readonly JobRow[]): Promise<Job[]> {
  const ended = rows.filter(({ state }) => state === 'succeeded').map(({ id }) => id);
  const files =
    ended.length === 0
      ? []
      : await db.selectFrom('job_file').selectAll().where('job_id', 'in', ended).orderBy('ordinal').execute();
  const byJob = new Map<string, ResultFile[]>();
  for (const row of files) {
    const list = byJob.get(row.job_id) ?? [];
    list.push({
      name: row.name,
      mediaType: row.media_type,
      bytes: Number(row.bytes),
      sha256: row.sha256,
      blobId: row.blob_id,
    });
    byJob.set(row.job_id, list);
  }
  return rows.map((row) => jobOf(row, byJob.get(row.id) ?? []));
}

export function jobOf(row: JobRow, files: readonly ResultFile[] = []): Job {
  return Object.freeze({
    id: row.id,
    kind: row.kind,
    state: row.state,
    priority: row.priority,
    protocol: row.protocol,
    requestedBy: { kind: row.requester_kind as Actor['kind'], id: row.requester_id, name: row.requester_name },
    ...given('model', row.model),
    ...given('modelVersionId', row.model_version_id),
    ...given('externalId', row.external_id),
    inputBlobIds: row.input_blob_ids,
    parameters: row.parameters,
    progress: { step: row.step, fraction: row.fraction, ...given('secondsLeft', row.seconds_left) },
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    ...given('worker', row.worker),
    cancelRequested: row.cancel_requested_at !== null,
    ...given('failure', row.failure as JobFailure | null),
    ...given('report', row.report as unknown),
    files,
    createdAt: row.created_at,
    ...given('startedAt', row.started_at),
    ...given('finishedAt', row.finished_at),
  });
}

function given<K extends string, V>(key: K, value: V | null): { [key in K]?: V } {
  return (value === null ? {} : { [key]: value }) as { [key in K]?: V };
}
