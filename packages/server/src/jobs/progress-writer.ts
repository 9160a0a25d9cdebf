/** Writes a job's progress to its row: at most five times a second, only what changed, one write at a time. */
import { sql } from 'kysely';
import type { Database } from '../state/database.js';
import type { JobProgress } from './job.js';

const SHORTEST_GAP_MS = 200;
/** A quarter of a percent is what a bar of 400 pixels can show. */
const SMALLEST_CHANGE = 0.0025;

export class ProgressWriter {
  readonly #db: Database;
  readonly #id: string;
  readonly #claim: string;
  readonly #current: () => JobProgress;
  readonly #lost: () => void;
  #written: JobProgress | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  /** `lost` is called when the row is no longer ours. */
  constructor(db: Database, job: { id: string; claim: string }, current: () => JobProgress, lost: () => void) {
    this.#db = db;
    this.#id = job.id;
    this.#claim = job.claim;
    this.#current = current;
    this.#lost = lost;
  }

  /** Something may have changed. */
  touch(): void {
    if (this.#closed || this.#timer) return;
    // The first change of a job is written at once, the last of a burst after the gap.
    this.#timer = setTimeout(
      () => {
        this.#writing = this.#write().finally(() => {
          this.#timer = undefined;
        });
      },
      this.#written ? SHORTEST_GAP_MS : 0,
    );
  }

  async #write(): Promise<void> {
    const progress = this.#current();
    if (this.#closed || !differs(progress, this.#written)) return;
    this.#written = progress;
    const { step, fraction, secondsLeft = null } = progress;
    try {
      // Nobody waits for the disk because of a bar: what a crash of the database loses is written again.
      const { rows } = await sql`
        update job set step = ${step}, fraction = ${fraction}, seconds_left = ${secondsLeft}
        where id = ${this.#id} and claim = ${this.#claim} and state = 'running'
        returning pg_notify('isocenter_job', id::text), set_config('synchronous_commit', 'off', true)`.execute(
        this.#db,
      );
      if (rows.length === 0 && !this.#closed) this.#lost();
    } catch {
      this.#written = undefined;
    }
  }

  /** Nothing is written after this has resolved. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }
}

function differs(now: JobProgress, before: JobProgress | undefined): boolean {
  if (!before || now.step !== before.step) return true;
  if (Math.abs(now.fraction - before.fraction) >= SMALLEST_CHANGE) return true;
  return Math.round(now.secondsLeft ?? -1) !== Math.round(before.secondsLeft ?? -1);
}
