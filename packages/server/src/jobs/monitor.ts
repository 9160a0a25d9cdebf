/**
 * Looks after running jobs whose worker died or does not answer. Each server and worker runs one: they may all look at
 * once, because each job is decided under its row's lock. Times are the database's, so clocks of machines do not matter.
 */
import { sql } from 'kysely';
import { describeDefect } from '../defects/describe-defect.js';
import type { Database, Executor } from '../state/database.js';
import { type EndingParts, lockJob, loseAttempt } from './job-ending.js';
import type { JobsLog } from './jobs-log.js';

/** A worker beats every second: four are missed before its jobs go to others. */
export const DEAD_AFTER_MS = 5_000;
/** A worker ends a cancelled job within a second; after this it is done for it. */
export const UNANSWERED_CANCEL_MS = 3_000;
const LOOK_EVERY_MS = 1_000;

export interface MonitorOptions {
  readonly db: Database;
  readonly parts: EndingParts;
  readonly log: JobsLog;
  readonly deadAfterMs?: number;
  readonly lookEveryMs?: number;
}

export class Monitor {
  readonly #options: MonitorOptions;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #failed = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#plan();
  }

  #plan(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.look()
        .then(() => {
          this.#failed = false;
        })
        .catch((error: unknown) => {
          // Once per outage, not once a second.
          if (!this.#failed)
            this.#options.log.warn({ defect: describeDefect(error) }, 'Running jobs could not be looked after');
          this.#failed = true;
        })
        .then(() => this.#plan());
    }, this.#options.lookEveryMs ?? LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** One round. */
  async look(): Promise<void> {
    const { db } = this.#options;
    const { rows } = await sql<{ id: string }>`
      select j.id from job j left join job_worker w on w.id = j.worker
      where j.state = 'running' and ${this.#abandoned()}`.execute(db);
    for (const { id } of rows) await this.#takeAway(id);
    await sql`delete from job_worker w where ${this.#silent()} and not exists
      (select from job j where j.worker = w.id and j.state = 'running')`.execute(db);
  }

  /** While the database itself was away nobody could beat: silence counts from its start. */
  #silent() {
    const seconds = (this.#options.deadAfterMs ?? DEAD_AFTER_MS) / 1000;
    return sql<boolean>`greatest(w.heartbeat_at, pg_postmaster_start_time())
      < clock_timestamp() - make_interval(secs => ${seconds}::float8)`;
  }

  #abandoned() {
    return sql<boolean>`(w.id is null or ${this.#silent()}
      or j.cancel_requested_at < clock_timestamp() - make_interval(secs => ${UNANSWERED_CANCEL_MS / 1000}::float8))`;
  }

  /** One transaction per job: with several, two monitors and the audit log's lock could wait for each other in a ring. */
  async #takeAway(id: string): Promise<void> {
    const { db, parts, log } = this.#options;
    const erase = await db.transaction().execute(async (tx) => {
      const row = await lockJob(tx, id);
      if (row?.state !== 'running' || !(await this.#stillAbandoned(tx, id))) return [];
      return loseAttempt(tx, parts, row, 'its worker died', {
        kind: 'worker-died',
        message: `The worker died ${row.attempts} ${row.attempts === 1 ? 'time' : 'times'} while it had this job`,
        next: 'Look for a lack of memory on the machines of the workers, then send the job again.',
      });
    });
    log.warn({ job: id }, 'A job was taken from a worker that does not answer');
    await parts.blobs.eraseReleased(erase).catch(() => undefined);
  }

  async #stillAbandoned(tx: Executor, id: string): Promise<boolean> {
    const { rows } = await sql`
      select from job j left join job_worker w on w.id = j.worker where j.id = ${id} and ${this.#abandoned()}`.execute(
      tx,
    );
    return rows.length > 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }
}
