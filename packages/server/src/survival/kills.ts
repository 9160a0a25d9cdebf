/** Who is killed when: a plan that follows from the seed, its targets, and how long it took until the work went on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.js';
import type { Installation } from './installation.js';
import { backendsOf, computeChildrenOf, kill, processes } from './process-table.js';
import { until } from './until.js';

export const killKinds = ['server', 'worker', 'compute child', 'postmaster', 'backend'] as const;
export type KillKind = (typeof killKinds)[number];

export interface PlannedKill {
  readonly kind: KillKind;
  /** It waits until so many jobs have ended … */
  readonly afterEnded: number;
  /** … and then so long. */
  readonly pauseMs: number;
}

export interface Kill {
  readonly kind: KillKind;
  readonly at: Date;
  /** Running in the process that died, with the attempts they had. */
  readonly jobs: readonly { readonly id: string; readonly attempts: number }[];
  /**
   * Until the server was ready, the database answered, each job of the dead was started again (the last of them counts).
   * Undefined: it was never seen, or none of its jobs needed another start.
   */
  recoveredMs: number | undefined;
  /** It was not seen within three minutes. */
  late: boolean;
}

/** Kinds that end running work come more often than those that everything waits for. */
const WEIGHTS: readonly KillKind[] = [
  'server',
  'server',
  'worker',
  'worker',
  'worker',
  'compute child',
  'compute child',
  'compute child',
  'postmaster',
  'postmaster',
  'backend',
  'backend',
];
/** The last jobs end in peace, or there would be nothing left to kill for. */
const LAST_AT = 0.85;
const LONGEST_PAUSE_MS = 1_500;
const TARGET_MS = 60_000;
/** A worker with a job is waited for, then any will do. */
const BUSY_MS = 5_000;
const RECOVERY_MS = 180_000;

/** At least one of each kind. */
export function planKills(count: number, jobs: number, dice: Dice): readonly PlannedKill[] {
  const more = Array.from({ length: Math.max(0, count - killKinds.length) }, () => dice.pick(WEIGHTS));
  const times = Array.from({ length: killKinds.length + more.length }, () =>
    Math.floor(dice.next() * jobs * LAST_AT),
  ).sort((a, b) => a - b);
  return dice.shuffled([...killKinds, ...more]).map((kind, n) => ({
    kind,
    afterEnded: times[n] ?? 0,
    pauseMs: dice.below(LONGEST_PAUSE_MS),
  }));
}

export class Killer {
  readonly kills: Kill[] = [];
  /** Planned, but there was nothing to kill. */
  readonly missed: KillKind[] = [];
  readonly #recoveries: Promise<void>[] = [];

  constructor(
    private readonly installation: Installation,
    private readonly dice: Dice,
    private readonly log: (line: string) => void,
  ) {}

  /** `ended`: jobs that have ended so far; `over`: all of them, so that nothing more is to be waited for. */
  async run(plan: readonly PlannedKill[], ended: () => number, over: () => boolean): Promise<void> {
    for (const { kind, afterEnded, pauseMs } of plan) {
      while (ended() < afterEnded && !over()) await sleep(100);
      await sleep(pauseMs);
      const done = await until(TARGET_MS, `there is a ${kind} to kill`, () => this.#strike(kind)).catch(
        () => undefined,
      );
      if (done) this.log(`kill -9 ${kind} ${done} after ${ended()} ended jobs`);
      else this.missed.push(kind);
    }
    await Promise.all(this.#recoveries);
  }

  /** Its pid; undefined: no target at this moment. */
  async #strike(kind: KillKind): Promise<number | undefined> {
    switch (kind) {
      case 'server':
        return this.#strikeServer();
      case 'worker':
        return this.#strikeWorker();
      case 'compute child':
        return this.#strikeChild();
      case 'postmaster':
        return this.#strikeDatabase(kind, async () => (await this.installation.postmaster())?.pid);
      case 'backend':
        return this.#strikeDatabase(kind, async () => {
          const cluster = (await this.installation.postmaster())?.cluster;
          const backends = cluster === undefined ? [] : backendsOf(await processes(), cluster);
          return backends.length === 0 ? undefined : this.dice.pick(backends).pid;
        });
    }
  }

  async #strikeServer(): Promise<number | undefined> {
    const { server } = this.installation;
    const jobs = server.pid === undefined ? [] : await this.#jobsOf([server.pid]);
    const pid = server.kill();
    if (pid === undefined) return undefined;
    this.#note('server', jobs, async () => {
      await until(RECOVERY_MS, 'another server runs', async () => (server.ready && server.pid !== pid) || undefined);
      await this.installation.ready();
    });
    return pid;
  }

  async #strikeWorker(): Promise<number | undefined> {
    const running = this.installation.workers.filter(({ pid }) => pid !== undefined);
    const busy = await until(BUSY_MS, 'a worker has a job', async () => {
      const jobs = await this.#jobsOf(running.flatMap(({ pid }) => pid ?? []));
      return jobs.length > 0 ? jobs : undefined;
    }).catch(() => []);
    const target =
      running.find(({ pid }) => pid === busy[0]?.pid) ?? (running.length > 0 ? this.dice.pick(running) : undefined);
    const pid = target?.kill();
    if (pid === undefined) return undefined;
    const jobs = busy.filter((job) => job.pid === pid);
    this.#note('worker', jobs, () => this.#startedAgain(jobs));
    return pid;
  }

  async #strikeChild(): Promise<number | undefined> {
    const parents = this.installation.programs.flatMap(({ pid }) => pid ?? []);
    const children = computeChildrenOf(await processes(), parents);
    const jobs = await this.#jobsOf(parents);
    const busy = children.filter(({ parent }) => jobs.some(({ pid }) => pid === parent));
    if (busy.length === 0) return undefined;
    const { pid, parent } = this.dice.pick(busy);
    if (!kill(pid)) return undefined;
    const struck = jobs.filter((job) => job.pid === parent);
    this.#note('compute child', struck, () => this.#startedAgain(struck));
    return pid;
  }

  async #strikeDatabase(kind: KillKind, find: () => Promise<number | undefined>): Promise<number | undefined> {
    const pid = await find();
    if (pid === undefined || !kill(pid)) return undefined;
    this.#note(kind, [], async () => {
      await until(RECOVERY_MS, 'the database answers', async () => {
        await this.installation.ask('select 1');
        return true;
      });
    });
    return pid;
  }

  async #jobsOf(pids: readonly number[]) {
    return this.installation
      .ask<{ id: string; attempts: number; pid: number }>(
        `select j.id, j.attempts, w.pid from job j join job_worker w on w.id = j.worker
         where j.state = 'running' and w.pid = any($1)`,
        [pids],
      )
      .catch(() => []);
  }

  /** A job that ended with the attempt it had did not need another. */
  async #startedAgain(jobs: Kill['jobs']): Promise<boolean> {
    let again = false;
    for (const { id, attempts } of jobs)
      await until(RECOVERY_MS, `job ${id} runs again`, async () => {
        const [row] = await this.installation.ask<{ state: string; attempts: number }>(
          'select state, attempts from job where id = $1',
          [id],
        );
        if (!row) return undefined;
        again ||= row.attempts > attempts;
        return row.attempts > attempts || !['queued', 'running'].includes(row.state) || undefined;
      });
    return again;
  }

  #note(kind: KillKind, jobs: Kill['jobs'], recovery: () => Promise<unknown>): void {
    const record: Kill = { kind, at: new Date(), jobs, recoveredMs: undefined, late: false };
    this.kills.push(record);
    const began = performance.now();
    this.#recoveries.push(
      recovery().then(
        (again) => {
          if (again !== false) record.recoveredMs = performance.now() - began;
        },
        () => {
          record.late = true;
        },
      ),
    );
  }
}
