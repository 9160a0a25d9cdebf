/**
 * A worker: takes jobs for as many slots as it has, says each second that it lives, and hears of new jobs and
 * cancellations by LISTEN. Any number of them, on any number of machines, share one waiting line.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { makeOwnedFolder, refreshOwnedFolder, sweepOwnedFolders } from '@isocenter/engine/processes';
import { sql } from 'kysely';
import type { AuditLog } from '../audit/audit-log.js';
import type { Blobs } from '../blobs/blobs.js';
import { describeDefect } from '../defects/describe-defect.js';
import type { Database } from '../state/database.js';
import type { EndingParts } from './job-ending.js';
import type { JobHandler } from './job-handler.js';
import { type JobsLog, silentLog } from './jobs-log.js';
import { MessageQueue } from './message-queue.js';
import { Monitor } from './monitor.js';
import { Notices } from './notices.js';
import { isPassing } from './passing-error.js';
import { endForgotten, RunningJob, type RunningParts } from './running-job.js';
import { takeJob } from './take-job.js';

export interface WorkerOptions {
  readonly db: Database;
  /** Of the same database, for the LISTEN connection, which no pool may share. */
  readonly url: string;
  readonly blobs: Blobs;
  readonly audit: AuditLog;
  readonly handlers: readonly JobHandler[];
  /** Jobs at a time. */
  readonly slots: number;
  /** On a disk of this machine; the worker makes a folder of its own below it and removes it at its end. */
  readonly workFolder: string;
  readonly log?: JobsLog;
  /** As in JobsOptions. */
  readonly keepFailedInputsMs?: number;
  readonly deadAfterMs?: number;
  readonly heartbeatMs?: number;
  /** The net under LISTEN, and what finds jobs whose delay is over. */
  readonly pollMs?: number;
  /** How long the end of a job is tried to be written while the database is away. */
  readonly finishForMs?: number;
  readonly retryDelaySeconds?: (attempt: number) => number;
}

export interface Worker {
  readonly id: string;
  /** Ids of the jobs that run. */
  readonly running: readonly string[];
  /** Takes no more jobs; resolves when the last one has ended. */
  drain(): Promise<void>;
  /** Drains for at most `graceMs` (default 10 s), then gives the jobs that still run back to the line, and leaves. */
  stop(graceMs?: number): Promise<void>;
}

/** Results of patients lie there for a moment; folders of workers that were killed are removed by the next on the machine. */
const FOLDER_PREFIX = 'worker-';
const HEARTBEAT_MS = 1_000;
const POLL_MS = 500;
const FINISH_FOR_MS = 60_000;
const BUSY_AGAIN_MS = 20;
const STOP_GRACE_MS = 10_000;
/** For a database that is away, and for handlers that do not end after their signal; the monitor of others does the rest. */
const LAST_WAIT_MS = 5_000;
const CLEAN_EVERY_MS = 60_000;
const LONGEST_RETRY_DELAY_S = 60;

/** 1, 2, 4 … seconds, at most a minute, spread by up to a quarter so that jobs that failed together do not return together. */
function backoff(attempt: number): number {
  return Math.min(LONGEST_RETRY_DELAY_S, 2 ** (attempt - 1)) * (1 + Math.random() / 4);
}

export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const id = randomUUID();
  const queue = await MessageQueue.open(options.db);
  for (const { kind } of options.handlers) await queue.ensure(kind);
  await mkdir(options.workFolder, { recursive: true, mode: 0o700 });
  await sweepOwnedFolders(options.workFolder, FOLDER_PREFIX);
  const folder = await makeOwnedFolder(options.workFolder, FOLDER_PREFIX);
  const worker = new LocalWorker(id, options, queue, folder);
  await worker.start();
  return worker;
}

class LocalWorker implements Worker {
  readonly id: string;
  readonly #options: WorkerOptions;
  readonly #queue: MessageQueue;
  readonly #handlers: ReadonlyMap<string, JobHandler>;
  readonly #parts: EndingParts;
  readonly #running = new Map<string, RunningJob>();
  /** Claims whose taking is under way: the row may have them before we know. */
  readonly #taking = new Set<string>();
  readonly #with: RunningParts;
  readonly #notices: Notices;
  readonly #monitor: Monitor;
  readonly #log: JobsLog;
  readonly #timers: NodeJS.Timeout[] = [];
  #endRefresh = () => {};
  #filling: Promise<void> | undefined;
  #wanted = false;
  #beating: Promise<void> | undefined;
  #beatWanted = false;
  #away = false;
  #draining = false;
  #stopped: Promise<void> | undefined;

  constructor(id: string, options: WorkerOptions, queue: MessageQueue, folder: string) {
    const { db, blobs, audit, keepFailedInputsMs = 0, log = silentLog } = options;
    this.id = id;
    this.#options = options;
    this.#queue = queue;
    this.#log = log;
    this.#handlers = new Map(options.handlers.map((handler) => [handler.kind, handler]));
    this.#parts = { blobs, audit, queue, keepFailedInputsMs };
    this.#with = {
      db,
      parts: this.#parts,
      log,
      folder,
      retryDelaySeconds: options.retryDelaySeconds ?? backoff,
      finishForMs: options.finishForMs ?? FINISH_FOR_MS,
    };
    this.#notices = new Notices({
      url: options.url,
      channels: ['isocenter_queue', 'isocenter_cancel'],
      onNotice: (channel, payload) => this.#hear(channel, payload),
      onConnected: () => {
        this.#beatNow();
        this.#fill();
      },
    });
    const { deadAfterMs } = options;
    this.#monitor = new Monitor({ db, parts: this.#parts, log, ...(deadAfterMs === undefined ? {} : { deadAfterMs }) });
  }

  get running(): readonly string[] {
    return [...this.#running.values()].map(({ id }) => id);
  }

  async start(): Promise<void> {
    await this.#beat();
    await this.#notices.start();
    const { heartbeatMs = HEARTBEAT_MS, pollMs = POLL_MS, workFolder } = this.#options;
    this.#endRefresh = refreshOwnedFolder(this.#with.folder);
    this.#timers.push(
      setInterval(() => this.#beatNow(), heartbeatMs),
      setInterval(() => this.#fill(), pollMs),
      setInterval(() => void sweepOwnedFolders(workFolder, FOLDER_PREFIX), CLEAN_EVERY_MS),
    );
  }

  #hear(channel: string, payload: string): void {
    if (channel === 'isocenter_queue') {
      if (this.#handlers.has(payload)) this.#fill();
    } else if (this.running.includes(payload)) this.#beatNow();
  }

  /** One at a time; one that is asked for during another follows it. */
  #beatNow(): void {
    this.#beatWanted = true;
    this.#beating ??= this.#beatWhileWanted();
  }

  async #beatWhileWanted(): Promise<void> {
    try {
      while (this.#beatWanted) {
        this.#beatWanted = false;
        await this.#beat();
        if (this.#away) this.#log.info({}, 'The database answers again');
        this.#away = false;
      }
    } catch (error) {
      this.#complain(error, 'A heartbeat was not written');
    } finally {
      this.#beating = undefined;
    }
  }

  /** A database that is away is told once, not twice a second. */
  #complain(error: unknown, message: string): void {
    const away = isPassing(error);
    if (!away || !this.#away) this.#log.warn({ defect: describeDefect(error) }, message);
    this.#away ||= away;
  }

  /** Says that we live, and learns which of our jobs are no longer ours, or not wanted any more. */
  async #beat(): Promise<void> {
    const { db, slots } = this.#options;
    const held = [...this.#running.values()];
    const { rows } = await sql`
      update job_worker set heartbeat_at = clock_timestamp() where id = ${this.id}
      returning set_config('synchronous_commit', 'off', true)`.execute(db);
    if (rows.length === 0) {
      if (held.length > 0) this.#log.warn({ jobs: held.length }, 'This worker was taken for dead');
      await db
        .insertInto('job_worker')
        .values({ id: this.id, host: hostname(), pid: process.pid, slots })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    const ours = await db
      .selectFrom('job')
      .select(['id', 'claim', 'cancel_requested_at'])
      .where('worker', '=', this.id)
      .where('state', '=', 'running')
      .execute();
    const byClaim = new Map(ours.map((row) => [row.claim, row]));
    for (const job of held) {
      const row = byClaim.get(job.claim);
      if (!row) job.stop('lost');
      else if (row.cancel_requested_at) job.stop('cancelled');
    }
    for (const { id, claim } of ours)
      if (claim && !this.#running.has(claim) && !this.#taking.has(claim))
        await endForgotten(db, this.#parts, { id, claim });
  }

  #fill(): void {
    this.#wanted = true;
    this.#filling ??= this.#fillSlots();
  }

  async #fillSlots(): Promise<void> {
    // First the caller keeps this promise, then it may end: a round without free slots ends at once.
    await Promise.resolve();
    try {
      while (this.#wanted && !this.#draining && this.#running.size < this.#options.slots) {
        this.#wanted = false;
        // A notice that comes while we look makes us look again: the job it tells of may have come too late for this look.
        if (await this.#takeOne()) this.#wanted = true;
      }
    } catch (error) {
      this.#complain(error, 'No job could be taken');
    } finally {
      this.#filling = undefined;
    }
  }

  /** True: there may be more. */
  async #takeOne(): Promise<boolean> {
    const claim = randomUUID();
    this.#taking.add(claim);
    try {
      const { db } = this.#options;
      const row = await takeJob({ db, queue: this.#queue, handlers: this.#handlers, worker: this.id }, claim);
      if (row === 'nothing') return false;
      if (row === 'busy') {
        setTimeout(() => this.#fill(), BUSY_AGAIN_MS).unref();
        return false;
      }
      const job = new RunningJob(row, claim, this.#handlers.get(row.kind)!, this.#with);
      this.#running.set(claim, job);
      void job.done.then(() => {
        this.#running.delete(claim);
        this.#fill();
      });
      return true;
    } finally {
      this.#taking.delete(claim);
    }
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await this.#filling;
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  stop(graceMs = STOP_GRACE_MS): Promise<void> {
    this.#stopped ??= this.#leave(graceMs);
    return this.#stopped;
  }

  async #leave(graceMs: number): Promise<void> {
    await within(this.drain(), graceMs);
    const left = [...this.#running.values()];
    for (const job of left) job.stop('shutdown');
    await within(Promise.all(left.map(({ written }) => written)), LAST_WAIT_MS);
    await within(Promise.all(left.map(({ done }) => done)), LAST_WAIT_MS);
    for (const timer of this.#timers) clearInterval(timer);
    this.#endRefresh();
    await Promise.all([this.#monitor.stop(), this.#notices.close(), this.#beating]);
    await this.#options.db
      .deleteFrom('job_worker')
      .where('id', '=', this.id)
      .execute()
      .catch(() => undefined);
    await rm(this.#with.folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Waits for `work`, but no longer than `ms`. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const end = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: end.signal }).catch(() => undefined)]);
  end.abort();
}
