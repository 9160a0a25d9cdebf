/**
 * One job in the hands of a worker, from its taking to its end. Whatever is written about it is written under the row's
 * lock and only while the claim is still ours, so that a worker that slept cannot deliver what another has taken over.
 */
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SYSTEM } from '../accounts/actor.js';
import { describeDefect } from '../defects/describe-defect.js';
import type { Database, Executor } from '../state/database.js';
import type { JobFailure, ResultFile } from './job.js';
import { cancelledAsAsked, type EndingParts, endJob, lockJob, loseAttempt, requeueJob } from './job-ending.js';
import { failureOf, JobError } from './job-error.js';
import type { HandlerResult, JobHandler } from './job-handler.js';
import { type JobRow, jobOf } from './job-row.js';
import type { JobsLog } from './jobs-log.js';
import { estimateSteps, pastRuns } from './learnt-durations.js';
import { isPassing } from './passing-error.js';
import { ProgressMeter } from './progress-meter.js';
import { ProgressWriter } from './progress-writer.js';

export interface RunningParts {
  readonly db: Database;
  readonly parts: EndingParts;
  readonly log: JobsLog;
  /** This worker's own. */
  readonly folder: string;
  /** Seconds before attempt n + 1, when attempt n failed. */
  readonly retryDelaySeconds: (attempt: number) => number;
  /** How long writing an end is tried while the database is away. */
  readonly finishForMs: number;
}

/** 'cancelled': somebody asked; 'lost': another has or had it; 'shutdown': the worker gives it back. */
type Stop = 'cancelled' | 'lost' | 'shutdown';

type Outcome = { readonly result: HandlerResult } | { readonly error: unknown } | 'unanswered';

/** A handler that does not end after its signal is not waited for longer; its slot stays taken until it does. */
const ANSWER_WITHIN_MS = 500;
/** Results of a worker that was killed before its last word; longer than any storing and ending takes. */
const UNDELIVERED_MS = 15 * 60_000;
const TICK_MS = 1_000;
/** Errors that do not look passing get this many tries. */
const TRIES = 3;
const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 2_000;

export class RunningJob {
  readonly id: string;
  readonly claim: string;
  /** The row says how it ended (or somebody else's row does); never rejects. */
  readonly written: Promise<void>;
  /** The handler has really ended as well, and its folder is gone; never rejects. */
  readonly done: Promise<void>;
  readonly #row: JobRow;
  readonly #handler: JobHandler;
  readonly #with: RunningParts;
  readonly #controller = new AbortController();
  readonly #meter: ProgressMeter;
  readonly #writer: ProgressWriter;
  readonly #folder: string;
  #stop: Stop | undefined;

  constructor(row: JobRow, claim: string, handler: JobHandler, parts: RunningParts) {
    this.id = row.id;
    this.claim = claim;
    this.#row = row;
    this.#handler = handler;
    this.#with = parts;
    this.#folder = join(parts.folder, claim);
    this.#meter = new ProgressMeter(handler.steps, performance.now());
    this.#writer = new ProgressWriter(
      parts.db,
      this,
      () => this.#meter.progress(performance.now()),
      () => this.stop('lost'),
    );
    const settled = this.#runHandler();
    this.written = this.#runToEnd(settled).catch((error: unknown) => {
      // The row still says that we have it; the next heartbeat finds that we do not and ends the attempt.
      parts.log.error({ job: this.id, defect: describeDefect(error) }, 'The end of a job could not be written');
    });
    this.done = Promise.all([this.written, settled]).then(() =>
      rm(this.#folder, { recursive: true, force: true }).catch(() => undefined),
    );
  }

  /** Aborts the handler; the first reason counts. */
  stop(why: Stop): void {
    if (this.#stop) return;
    this.#stop = why;
    this.#controller.abort(new JobError('ended', `The job was stopped: ${why}`));
  }

  async #runHandler(): Promise<Outcome> {
    const { signal } = this.#controller;
    try {
      await mkdir(this.#folder, { recursive: true });
      const result = await this.#handler.run(jobOf(this.#row), {
        signal,
        workFolder: this.#folder,
        progress: (step, done, total) => {
          this.#meter.advance(step, done, total, performance.now());
          this.#writer.touch();
        },
      });
      return { result };
    } catch (error) {
      return { error };
    }
  }

  async #runToEnd(settled: Promise<Outcome>): Promise<void> {
    void this.#learn();
    const tick = setInterval(() => this.#writer.touch(), TICK_MS);
    const outcome = await Promise.race([settled, this.#unanswered()]);
    clearInterval(tick);
    await this.#writer.close();
    if (this.#stop === 'lost') return;
    if (this.#stop === 'cancelled') return this.#endAsCancelled();
    if (outcome === 'unanswered' || (this.#stop === 'shutdown' && 'error' in outcome)) return this.#giveBack();
    if ('error' in outcome) return this.#endAsFailed(outcome.error);
    return this.#deliver(outcome.result);
  }

  #unanswered(): Promise<'unanswered'> {
    const { signal } = this.#controller;
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => setTimeout(() => resolve('unanswered'), ANSWER_WITHIN_MS).unref());
    });
  }

  async #learn(): Promise<void> {
    const { kind, model, input_bytes } = this.#row;
    const runs = await pastRuns(this.#with.db, kind, model ?? undefined).catch(() => []);
    const estimates = estimateSteps(runs, Number(input_bytes ?? 0));
    if (!estimates) return;
    this.#meter.learn(estimates);
    this.#writer.touch();
  }

  /** Bytes first, then one transaction that makes them the result; they are erased again when it says no. */
  async #deliver(result: HandlerResult): Promise<void> {
    const files: ResultFile[] = [];
    try {
      await this.#store(result, files);
    } catch (error) {
      await this.#discard(files);
      if (this.#stop === 'lost') return;
      if (this.#stop === 'cancelled') return this.#endAsCancelled();
      // Whatever the store says, it is no fault of the input.
      return this.#stop === 'shutdown' ? this.#giveBack() : this.#endAsFailed(error, true);
    }
    const stepSeconds = this.#meter.finish(performance.now());
    let delivered: boolean;
    try {
      delivered = await this.#change(async (tx, row) => {
        if (row.cancel_requested_at) return endJob(tx, this.#with.parts, row, cancelledAsAsked(row));
        return endJob(tx, this.#with.parts, row, { state: 'succeeded', report: result.report, files, stepSeconds });
      }, 'succeeded');
    } catch (error) {
      if (isPassing(error)) throw error;
      await this.#endAsFailed(error, true);
      delivered = false;
    }
    if (!delivered) await this.#discard(files);
  }

  async #store(result: HandlerResult, files: ResultFile[]): Promise<void> {
    for (const { path, name, mediaType } of result.files) {
      if (!resolve(path).startsWith(this.#folder + sep))
        throw new JobError('bad-request', 'A result file lies outside of its job', { where: name });
      const about = {
        purpose: 'result',
        actor: SYSTEM,
        signal: this.#controller.signal,
        abandonAfterMs: UNDELIVERED_MS,
      } as const;
      const { blobs } = this.#with.parts;
      // The minutes of computing that lie behind are worth waiting for a database or store that is away for a moment.
      const { id, bytes, sha256 } = await this.#persist(() => blobs.write(createReadStream(path), about), 1);
      files.push({ name, mediaType, bytes, sha256, blobId: id });
    }
  }

  async #discard(files: readonly ResultFile[]): Promise<void> {
    if (files.length === 0) return;
    const { db, parts, log } = this.#with;
    const ids = files.map(({ blobId }) => blobId);
    try {
      await this.#persist(() =>
        db.transaction().execute(async (tx) => {
          // In the name of an owner that never was: whatever is somebody's result by now stays.
          const owner = { kind: 'result', id: this.claim } as const;
          for (const id of ids) await parts.blobs.release(id, `job ${this.id} did not deliver it`, tx, owner);
        }),
      );
      await parts.blobs.eraseReleased(ids);
    } catch (error) {
      log.warn({ job: this.id, defect: describeDefect(error) }, 'Undelivered results are left to the sweeper');
    }
  }

  async #endAsCancelled(): Promise<void> {
    await this.#change((tx, row) => endJob(tx, this.#with.parts, row, cancelledAsAsked(row)), 'cancelled');
  }

  async #giveBack(): Promise<void> {
    await this.#change(async (tx, row) => {
      if (row.cancel_requested_at) return endJob(tx, this.#with.parts, row, cancelledAsAsked(row));
      await requeueJob(tx, this.#with.parts, row, { reason: 'its worker stops', delaySeconds: 0, counts: false });
      return [];
    }, 'queued');
  }

  async #endAsFailed(error: unknown, again = this.#retryable(error)): Promise<void> {
    const { parts, log, retryDelaySeconds } = this.#with;
    const failure: JobFailure = failureOf(error);
    log.warn(
      {
        job: this.id,
        kind: failure.kind,
        again,
        ...(failure.kind === 'internal' ? { defect: describeDefect(error) } : {}),
      },
      'A job failed',
    );
    await this.#change(async (tx, row) => {
      if (row.cancel_requested_at) return endJob(tx, parts, row, cancelledAsAsked(row));
      if (!again || row.attempts >= row.max_attempts) return endJob(tx, parts, row, { state: 'failed', failure });
      const delaySeconds = retryDelaySeconds(row.attempts);
      await requeueJob(tx, parts, row, { reason: failure.kind, delaySeconds, counts: true });
      return [];
    }, 'failed');
  }

  #retryable(error: unknown): boolean {
    try {
      return this.#handler.retryable(error);
    } catch {
      return false;
    }
  }

  /**
   * Ends the attempt in one transaction, tried again while the database is away; then erases the inputs that it
   * released. False: the job was no longer ours, or ended otherwise than as `wanted`.
   */
  async #change(change: (tx: Executor, row: JobRow) => Promise<string[]>, wanted: JobRow['state']): Promise<boolean> {
    const { db, parts } = this.#with;
    const { erase, state } = await this.#persist(() =>
      db.transaction().execute(async (tx) => {
        const row = await lockJob(tx, this.id);
        if (row?.claim !== this.claim) return { erase: [], state: undefined };
        // Our own ending: the commit before was done although its answer never came.
        if (row.state !== 'running') return { erase: row.inputs_kept ? [] : row.input_blob_ids, state: row.state };
        const erase = await change(tx, row);
        const after = await tx.selectFrom('job').select('state').where('id', '=', this.id).executeTakeFirst();
        return { erase, state: after?.state };
      }),
    );
    if (erase.length > 0) await parts.blobs.eraseReleased(erase).catch(() => undefined);
    return state === wanted;
  }

  /** `most`: tries for errors that do not look passing. */
  async #persist<T>(work: () => Promise<T>, most = TRIES): Promise<T> {
    const until = performance.now() + this.#with.finishForMs;
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (isPassing(error) ? performance.now() > until : tries >= most) throw error;
        await delay(Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1)));
      }
    }
  }
}

/** Ends an attempt that this worker's row still has although the worker does not (its taking's answer was lost). */
export async function endForgotten(
  db: Database,
  parts: EndingParts,
  job: { readonly id: string; readonly claim: string },
): Promise<void> {
  const erase = await db.transaction().execute(async (tx) => {
    const row = await lockJob(tx, job.id);
    if (row?.state !== 'running' || row.claim !== job.claim) return [];
    return loseAttempt(tx, parts, row, 'its worker could not write its end', {
      kind: 'not-recorded',
      message: 'The job ran, but its end could not be written',
      next: 'Look at the free space and the log of the database, then send the job again.',
    });
  });
  await parts.blobs.eraseReleased(erase).catch(() => undefined);
}
