/**
 * How a job leaves `running` or `queued`, as steps inside the caller's transaction: row, results, inputs, audit entry and
 * notice stand or fall together. The caller holds the row (it updated or locked it first); the audit entry comes last,
 * because its chain makes all writers of the log wait for each other.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type Actor, SYSTEM } from '../accounts/actor.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { Blobs } from '../blobs/blobs.js';
import type { Executor } from '../state/database.js';
import type { JobFailure, ResultFile } from './job.js';
import type { JobRow } from './job-row.js';
import { jsonColumn } from './json-column.js';
import type { MessageQueue } from './message-queue.js';

/** An audit entry has at most 4 KB. */
const MOST_HASHES = 20;

export interface EndingParts {
  readonly blobs: Blobs;
  readonly audit: AuditLog;
  readonly queue: MessageQueue;
  /** How long a failed job's inputs stay, so that a person can retry it; 0: not at all. */
  readonly keepFailedInputsMs: number;
}

export type Ending =
  | {
      readonly state: 'succeeded';
      readonly report: unknown;
      readonly files: readonly ResultFile[];
      readonly stepSeconds: Readonly<Record<string, number>>;
    }
  | { readonly state: 'failed'; readonly failure: JobFailure }
  | { readonly state: 'cancelled'; readonly actor?: Actor; readonly reason?: string };

/** `row` is locked by the transaction. Gives the inputs that are to be erased after the commit. */
export async function endJob(tx: Executor, parts: EndingParts, row: JobRow, ending: Ending): Promise<string[]> {
  const keeps = ending.state === 'failed' && row.input_blob_ids.length > 0 && parts.keepFailedInputsMs > 0;
  await tx
    .updateTable('job')
    .set({
      state: ending.state,
      finished_at: sql<Date>`clock_timestamp()`,
      message_id: null,
      // The claim stays: a worker whose commit was answered by a broken connection finds its own ending by it.
      seconds_left: null,
      failure: ending.state === 'failed' ? jsonColumn(ending.failure) : null,
      inputs_kept: keeps,
      inputs_kept_until: keeps
        ? sql<Date>`clock_timestamp() + make_interval(secs => ${parts.keepFailedInputsMs / 1000})`
        : null,
      ...(ending.state === 'succeeded'
        ? { fraction: 1, report: jsonColumn(ending.report), step_seconds: jsonColumn(ending.stepSeconds) }
        : {}),
    })
    .where('id', '=', row.id)
    .execute();
  if (row.message_id) await parts.queue.drop(tx, row.kind, row.message_id);
  if (ending.state === 'succeeded') await keepFiles(tx, parts.blobs, row.id, ending.files);
  const erase = keeps || !row.inputs_kept ? [] : await releaseInputs(tx, parts.blobs, row, ending.state);
  await noticeJob(tx, row.id);
  await parts.audit.record(
    {
      actor: (ending.state === 'cancelled' ? ending.actor : undefined) ?? SYSTEM,
      action: `job.${ending.state}`,
      subject: { kind: 'job', id: row.id },
      ...(ending.state === 'cancelled' && ending.reason ? { reason: ending.reason } : {}),
      details: {
        attempts: row.attempts,
        ...(ending.state === 'failed' ? { failure: ending.failure.kind } : {}),
        ...(ending.state === 'succeeded'
          ? { files: ending.files.length, sha256: ending.files.slice(0, MOST_HASHES).map(({ sha256 }) => sha256) }
          : {}),
      },
      ...(row.request_id ? { requestId: row.request_id } : {}),
    },
    tx,
  );
  return erase;
}

async function keepFiles(tx: Executor, blobs: Blobs, jobId: string, files: readonly ResultFile[]): Promise<void> {
  if (files.length === 0) return;
  await tx
    .insertInto('job_file')
    .values(
      files.map((file, ordinal) => ({
        job_id: jobId,
        ordinal,
        name: file.name,
        media_type: file.mediaType,
        bytes: file.bytes,
        sha256: file.sha256,
        blob_id: file.blobId,
      })),
    )
    .execute();
  for (const { blobId } of files) await blobs.keep(blobId, { kind: 'result', id: jobId }, tx);
}

export async function releaseInputs(
  tx: Executor,
  blobs: Blobs,
  row: Pick<JobRow, 'id' | 'input_blob_ids'>,
  why: string,
): Promise<string[]> {
  for (const id of row.input_blob_ids) await blobs.release(id, `job ${row.id} ${why}`, tx, { kind: 'job', id: row.id });
  return row.input_blob_ids;
}

export interface Requeue {
  /** Why, for the audit log. */
  readonly reason: string;
  readonly delaySeconds: number;
  /** False: the attempt that ends here did not count (a worker that stops gives its jobs back). */
  readonly counts: boolean;
}

/** Back into the line at its old place, for another attempt; `row` is locked by the transaction. */
export async function requeueJob(tx: Executor, parts: EndingParts, row: JobRow, how: Requeue): Promise<void> {
  const messageId = randomUUID();
  await tx
    .updateTable('job')
    .set({
      state: 'queued',
      message_id: messageId,
      claim: null,
      worker: null,
      step: '',
      fraction: 0,
      seconds_left: null,
      ...(how.counts ? {} : { attempts: Math.max(0, row.attempts - 1) }),
    })
    .where('id', '=', row.id)
    .execute();
  await parts.queue.sendBack(tx, { id: row.id, kind: row.kind, messageId, priority: row.priority }, how.delaySeconds);
  await noticeJob(tx, row.id);
  if (how.delaySeconds === 0) await noticeQueue(tx, row.kind);
  await parts.audit.record(
    {
      actor: SYSTEM,
      action: 'job.requeued',
      subject: { kind: 'job', id: row.id },
      reason: how.reason,
      details: { attempts: row.attempts },
      ...(row.request_id ? { requestId: row.request_id } : {}),
    },
    tx,
  );
}

/**
 * The attempt ended without anybody's saying how: another one, or after the last a failure that says so. `row` is locked.
 * Gives the inputs that are to be erased after the commit.
 */
export async function loseAttempt(
  tx: Executor,
  parts: EndingParts,
  row: JobRow,
  reason: string,
  failure: JobFailure,
): Promise<string[]> {
  if (row.cancel_requested_at) return endJob(tx, parts, row, cancelledAsAsked(row));
  if (row.attempts >= row.max_attempts) return endJob(tx, parts, row, { state: 'failed', failure });
  await requeueJob(tx, parts, row, { reason, delaySeconds: 0, counts: true });
  return [];
}

export function cancelledAsAsked(row: JobRow): Ending {
  return { state: 'cancelled', ...(row.cancel_reason === null ? {} : { reason: row.cancel_reason }) };
}

/** Listeners of the job read it anew. */
export async function noticeJob(tx: Executor, id: string): Promise<void> {
  await sql`select pg_notify('isocenter_job', ${id})`.execute(tx);
}

/** Idle workers look into the line. */
export async function noticeQueue(tx: Executor, kind: string): Promise<void> {
  await sql`select pg_notify('isocenter_queue', ${kind})`.execute(tx);
}

/** The row, locked against everybody else's change; undefined when there is none. */
export async function lockJob(tx: Executor, id: string): Promise<JobRow | undefined> {
  return tx.selectFrom('job').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}
