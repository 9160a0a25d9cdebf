/** The port of durable jobs, as the doors (REST and protocols) use it. */
import type { Actor } from '../accounts/actor.js';
import type { Executor } from '../state/database.js';
import type { Job, JobFilter, JobPage, NewJob } from './job.js';

export interface Jobs {
  /**
   * Job row, kept inputs, audit entry and queue message in one transaction: what this resolves with is acknowledged and
   * will end in a result or a stated failure. `within`: further rows of the caller in the same transaction.
   */
  create(job: NewJob, within?: (executor: Executor, id: string) => Promise<void>): Promise<Job>;
  /** Undefined when there is none, or `actor` may not see it. */
  get(id: string, actor: Actor): Promise<Job | undefined>;
  /** The same by the id that the clients of `protocol` have. */
  byExternalId(protocol: string, externalId: string, actor: Actor): Promise<Job | undefined>;
  /** Newest first, without their reports; only what `actor` may see. Throws PagingError `bad-cursor`. */
  list(filter: JobFilter, page: { readonly cursor?: string; readonly limit: number }, actor: Actor): Promise<JobPage>;
  /** A queued job ends at once, a running one within a second. Throws JobError `not-found`, `ended`, `forbidden`. */
  cancel(id: string, actor: Actor, reason?: string): Promise<Job>;
  /** A failed or cancelled job anew, when its input is still there. Throws JobError `not-found`, `not-ended`, `input-gone`, `forbidden`. */
  retry(id: string, actor: Actor): Promise<Job>;
  /** Files and report of an ended job go now, the row stays. Throws JobError `not-found`, `forbidden`, `not-ended`. */
  eraseResults(id: string, actor: Actor, reason?: string): Promise<void>;
  setPriority(id: string, priority: number, actor: Actor, reason: string): Promise<Job>;
  /** The job now, and after every change, until it ends or `signal` aborts. Many listeners cost one LISTEN connection. */
  watch(id: string, actor: Actor, signal: AbortSignal): AsyncIterable<Job>;
  /** Ended results older than their retention, and rows that point nowhere, are cleared; called by the sweeper. */
  sweep(): Promise<void>;
  /** Queue lengths by state, oldest waiting age: for metrics and readiness. */
  statistics(): Promise<{ readonly byState: Readonly<Record<string, number>>; readonly oldestQueuedSeconds: number }>;
  workers(): Promise<readonly WorkerInfo[]>;
}

export interface WorkerInfo {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly slots: number;
  readonly startedAt: Date;
  readonly heartbeatAt: Date;
  readonly running: readonly string[];
}
