/**
 * Many listeners, one LISTEN connection, one read per changed job: a notice says that a job changed, the row says how.
 * A listener that is slow sees the latest state, not each one; nobody misses the end, because everything watched is read
 * anew whenever the connection was away.
 */
import type { Database } from '../state/database.js';
import type { Job } from './job.js';
import { readJobs } from './job-row.js';
import { Notices } from './notices.js';

/** After a read that failed; the reconnection reads as well. */
const READ_AGAIN_MS = 500;

export function hasEnded({ state }: Pick<Job, 'state'>): boolean {
  return state !== 'queued' && state !== 'running';
}

type Listener = (job: Job | undefined) => void;

export class JobWatch {
  readonly #db: Database;
  readonly #notices: Notices;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Ids to read; while a read runs, further notices only add to it. */
  readonly #changed = new Set<string>();
  #reading: Promise<void> | undefined;
  #started: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(db: Database, url: string) {
    this.#db = db;
    this.#notices = new Notices({
      url,
      channels: ['isocenter_job'],
      onNotice: (_channel, id) => {
        if (this.#listeners.has(id)) this.#read([id]);
      },
      onConnected: () => this.#read(this.#listeners.keys()),
    });
  }

  /** The job now, after each change, and last its end; ends early when `signal` aborts or the job's row is gone. */
  async *watch(id: string, signal: AbortSignal): AsyncGenerator<Job> {
    this.#started ??= this.#notices.start();
    let latest: Job | undefined;
    let gone = false;
    let wake = (): void => undefined;
    const listener: Listener = (job) => {
      if (job) latest = job;
      else gone = true;
      wake();
    };
    const abort = () => wake();
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    signal.addEventListener('abort', abort);
    try {
      await this.#started;
      this.#read([id]);
      for (;;) {
        if (!latest && !gone && !signal.aborted && !this.#closed)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        if (signal.aborted || this.#closed) return;
        const job = latest;
        latest = undefined;
        if (job) {
          yield job;
          if (hasEnded(job)) return;
        } else if (gone) return;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    }
  }

  #read(ids: Iterable<string>): void {
    for (const id of ids) this.#changed.add(id);
    this.#reading ??= this.#readChanged();
  }

  async #readChanged(): Promise<void> {
    // Notices that come in the same turn (a burst of progress) are one read.
    await Promise.resolve();
    let ids: string[] = [];
    try {
      while (this.#changed.size > 0 && !this.#closed) {
        ids = [...this.#changed].filter((id) => this.#listeners.has(id));
        this.#changed.clear();
        const jobs = new Map((await readJobs(this.#db, ids)).map((job) => [job.id, job]));
        for (const id of ids) for (const listener of this.#listeners.get(id) ?? []) listener(jobs.get(id));
      }
    } catch {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#read(ids), READ_AGAIN_MS);
    } finally {
      // In the same turn as the loop's last look, so that no id added later finds a reader that is about to end.
      this.#reading = undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const listeners of this.#listeners.values()) for (const listener of listeners) listener(undefined);
    await this.#reading;
    if (this.#started) await this.#notices.close();
  }
}
