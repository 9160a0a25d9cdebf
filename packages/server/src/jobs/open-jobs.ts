/** Durable jobs as the doors use them (the port is jobs.ts), for a server: rows, waiting line, listeners, monitor. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type Actor, may } from '../accounts/actor.js';
import type { AuditDetails, AuditLog } from '../audit/audit-log.js';
import type { Blobs } from '../blobs/blobs.js';
import type { Database, Executor } from '../state/database.js';
import { isUuid } from '../state/uuid.js';
import { checkedPriority, createJob } from './create-job.js';
import type { Job, JobFilter, JobPage, NewJob } from './job.js';
import { type EndingParts, endJob, lockJob, noticeJob, noticeQueue } from './job-ending.js';
import { JobError } from './job-error.js';
import { type JobRow, jobOf, readJob } from './job-row.js';
import { eraseResults, sweepJobs } from './job-sweep.js';
import { hasEnded, JobWatch } from './job-watch.js';
import type { Jobs, WorkerInfo } from './jobs.js';
import { type JobsLog, silentLog } from './jobs-log.js';
import { listJobs } from './list-jobs.js';
import { MessageQueue } from './message-queue.js';
import { Monitor } from './monitor.js';

export interface JobsOptions {
  readonly db: Database;
  /** Of the same database, for the LISTEN connection, which no pool may share. */
  readonly url: string;
  readonly blobs: Blobs;
  readonly audit: AuditLog;
  readonly log?: JobsLog;
  /** By protocol; a protocol that is not named keeps its results until somebody erases them. */
  readonly resultRetentionMs?: Readonly<Record<string, number>>;
  /** How long the inputs of a failed job stay for a retry by a person; default 0: images go when their job ends. */
  readonly keepFailedInputsMs?: number;
  readonly deadAfterMs?: number;
}

/** The port, and its end. */
export interface OpenJobs extends Jobs {
  close(): Promise<void>;
}

export async function openJobs(options: JobsOptions): Promise<OpenJobs> {
  return new DurableJobs(options, await MessageQueue.open(options.db));
}

class DurableJobs implements OpenJobs {
  readonly #db: Database;
  readonly #parts: EndingParts;
  readonly #watch: JobWatch;
  readonly #monitor: Monitor;
  readonly #retention: Readonly<Record<string, number>>;

  constructor(options: JobsOptions, queue: MessageQueue) {
    const { db, blobs, audit, keepFailedInputsMs = 0, log = silentLog } = options;
    this.#db = db;
    this.#parts = { blobs, audit, queue, keepFailedInputsMs };
    this.#watch = new JobWatch(db, options.url);
    this.#monitor = new Monitor({
      db,
      parts: this.#parts,
      log,
      ...(options.deadAfterMs === undefined ? {} : { deadAfterMs: options.deadAfterMs }),
    });
    this.#retention = options.resultRetentionMs ?? {};
  }

  create(job: NewJob, within?: (executor: Executor, id: string) => Promise<void>): Promise<Job> {
    return createJob(this.#db, this.#parts, job, within);
  }

  async get(id: string, actor: Actor): Promise<Job | undefined> {
    const job = isUuid(id) ? await readJob(this.#db, id) : undefined;
    return job && isOf(job.requestedBy, actor, 'jobs.read', 'jobs.read-all') ? job : undefined;
  }

  async byExternalId(protocol: string, externalId: string, actor: Actor): Promise<Job | undefined> {
    const row = await this.#db
      .selectFrom('job')
      .select('id')
      .where('protocol', '=', protocol)
      .where('external_id', '=', externalId)
      .executeTakeFirst();
    return row && this.get(row.id, actor);
  }

  async list(
    filter: JobFilter,
    page: { readonly cursor?: string; readonly limit: number },
    actor: Actor,
  ): Promise<JobPage> {
    if (may(actor, 'jobs.read-all')) return listJobs(this.#db, filter, page);
    return may(actor, 'jobs.read') ? listJobs(this.#db, filter, page, actor) : { jobs: [] };
  }

  async cancel(id: string, actor: Actor, reason?: string): Promise<Job> {
    const erase: string[] = [];
    await this.#change(id, actor, async (tx, row) => {
      if (hasEnded(row)) throw new JobError('ended', 'The job has already ended', { where: id });
      if (row.state === 'queued') {
        erase.push(...(await endJob(tx, this.#parts, row, { state: 'cancelled', actor, ...reasonOf(reason) })));
        return;
      }
      if (row.cancel_requested_at) return;
      await tx
        .updateTable('job')
        .set({ cancel_requested_at: sql<Date>`clock_timestamp()`, cancel_reason: reason ?? null })
        .where('id', '=', id)
        .execute();
      await sql`select pg_notify('isocenter_cancel', ${id})`.execute(tx);
      await noticeJob(tx, id);
      await this.#record(tx, actor, 'job.cancel-requested', id, reason);
    });
    await this.#parts.blobs.eraseReleased(erase).catch(() => undefined);
    return this.#read(id);
  }

  async retry(id: string, actor: Actor): Promise<Job> {
    await this.#change(id, actor, async (tx, row) => {
      if (row.state !== 'failed' && row.state !== 'cancelled')
        throw new JobError('not-ended', 'Only a job that failed or was cancelled can be retried', { where: id });
      if (row.input_blob_ids.length > 0 && !row.inputs_kept)
        throw new JobError('input-gone', 'The input of this job was erased when it ended', {
          where: id,
          next: 'Send the input again as a new job. Inputs of failed jobs stay only as long as the settings say.',
        });
      const messageId = randomUUID();
      await tx
        .updateTable('job')
        .set({
          state: 'queued',
          message_id: messageId,
          worker: null,
          claim: null,
          attempts: 0,
          cancel_requested_at: null,
          cancel_reason: null,
          inputs_kept_until: null,
          failure: null,
          step: '',
          fraction: 0,
          started_at: null,
          finished_at: null,
        })
        .where('id', '=', id)
        .execute();
      await this.#parts.queue.send(tx, { id, kind: row.kind, messageId, priority: row.priority });
      await noticeJob(tx, id);
      await noticeQueue(tx, row.kind);
      await this.#record(tx, actor, 'job.retried', id);
    });
    return this.#read(id);
  }

  async eraseResults(id: string, actor: Actor, reason?: string): Promise<void> {
    await this.#change(id, actor, async (tx, row) => {
      if (!hasEnded(row)) throw new JobError('not-ended', 'The job has not ended: it has no result yet', { where: id });
      await this.#record(tx, actor, 'results.erase-requested', id, reason);
    });
    await eraseResults(this.#db, this.#parts, id, reason ?? 'asked for');
  }

  async setPriority(id: string, priority: number, actor: Actor, reason: string): Promise<Job> {
    checkedPriority(priority);
    const mayChange = () => may(actor, 'jobs.prioritise');
    await this.#change(
      id,
      actor,
      async (tx, row) => {
        if (hasEnded(row)) throw new JobError('ended', 'The job has already ended', { where: id });
        const messageId = row.state === 'queued' ? randomUUID() : null;
        await tx
          .updateTable('job')
          .set({ priority, ...(messageId ? { message_id: messageId } : {}) })
          .where('id', '=', id)
          .execute();
        // pg-boss has no change of priority: the job goes to the end of its new class.
        if (messageId && row.message_id) {
          await this.#parts.queue.drop(tx, row.kind, row.message_id);
          await this.#parts.queue.send(tx, { id, kind: row.kind, messageId, priority });
        }
        await noticeJob(tx, id);
        await this.#record(tx, actor, 'job.priority-changed', id, reason, { from: row.priority, to: priority });
      },
      mayChange,
    );
    return this.#read(id);
  }

  async *watch(id: string, actor: Actor, signal: AbortSignal): AsyncGenerator<Job> {
    if (!(await this.get(id, actor))) throw notFound(id);
    yield* this.#watch.watch(id, signal);
  }

  sweep(): Promise<void> {
    return sweepJobs(this.#db, this.#parts, this.#retention);
  }

  async statistics(): Promise<{
    readonly byState: Readonly<Record<string, number>>;
    readonly oldestQueuedSeconds: number;
  }> {
    const counts = await this.#db
      .selectFrom('job')
      .select(['state', sql<number>`count(*)::int`.as('count')])
      .groupBy('state')
      .execute();
    const { rows } = await sql<{ seconds: number | null }>`
      select extract(epoch from clock_timestamp() - min(created_at))::float8 as seconds from job
      where state = 'queued'`.execute(this.#db);
    const byState: Record<string, number> = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 };
    for (const { state, count } of counts) byState[state] = count;
    return { byState, oldestQueuedSeconds: Math.max(0, rows[0]?.seconds ?? 0) };
  }

  async workers(): Promise<readonly WorkerInfo[]> {
    const workers = await this.#db.selectFrom('job_worker').selectAll().orderBy('started_at').execute();
    const running = await this.#db
      .selectFrom('job')
      .select(['id', 'worker'])
      .where('state', '=', 'running')
      .orderBy('started_at')
      .execute();
    return workers.map((row) => ({
      id: row.id,
      host: row.host,
      pid: row.pid,
      slots: row.slots,
      startedAt: row.started_at,
      heartbeatAt: row.heartbeat_at,
      running: running.filter(({ worker }) => worker === row.id).map(({ id }) => id),
    }));
  }

  async close(): Promise<void> {
    await Promise.all([this.#monitor.stop(), this.#watch.close()]);
  }

  /** A change of one job that the actor may manage, under its row's lock. */
  async #change(
    id: string,
    actor: Actor,
    change: (tx: Executor, row: JobRow) => Promise<void>,
    mayChange = (owner: Job['requestedBy']) => isOf(owner, actor, 'jobs.manage', 'jobs.manage-all'),
  ): Promise<void> {
    if (!isUuid(id)) throw notFound(id);
    await this.#db.transaction().execute(async (tx) => {
      const row = await lockJob(tx, id);
      if (!row) throw notFound(id);
      const { requestedBy } = jobOf(row);
      // Who may not even see a job is not told that it exists.
      if (!isOf(requestedBy, actor, 'jobs.read', 'jobs.read-all')) throw notFound(id);
      if (!mayChange(requestedBy)) throw forbidden(id);
      await change(tx, row);
    });
  }

  async #read(id: string): Promise<Job> {
    const job = await readJob(this.#db, id);
    if (!job) throw notFound(id);
    return job;
  }

  async #record(
    tx: Executor,
    actor: Actor,
    action: string,
    id: string,
    reason?: string,
    details?: AuditDetails,
  ): Promise<void> {
    const subject = { kind: 'job', id };
    await this.#parts.audit.record(
      { actor, action, subject, ...reasonOf(reason), ...(details ? { details } : {}) },
      tx,
    );
  }
}

function isOf(
  owner: Job['requestedBy'],
  actor: Actor,
  own: 'jobs.read' | 'jobs.manage',
  all: 'jobs.read-all' | 'jobs.manage-all',
): boolean {
  return may(actor, all) || (may(actor, own) && owner.id === actor.id && owner.kind === actor.kind);
}

function reasonOf(reason: string | undefined): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function notFound(id: string): JobError {
  return new JobError('not-found', 'There is no such job', { where: isUuid(id) ? id : 'id' });
}

function forbidden(id: string): JobError {
  return new JobError('forbidden', 'This account may not change this job', { where: id });
}
