/**
 * Who computes what and when: tasks go to a warm child, to a new one, or wait in line until there are a place and memory.
 * The first in line is never overtaken by one behind it, so a large study cannot be starved by small ones.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cancelled } from '@isocenter/engine/processes';
import { isFailure, type Watch } from '@isocenter/volume';
import { Children, warmModel } from './children.js';
import type { ComputeChild } from './compute-child.js';
import type {
  ComputePool,
  ComputeTask,
  Forecast,
  ModelRef,
  PoolStatistics,
  TaskAnswer,
  TaskLimits,
  WarmModel,
} from './compute-pool.js';
import { BusyError, ForecastRefusal } from './compute-refusals.js';
import { makeCounters } from './counters.js';
import { guarded } from './guard.js';
import { Forecaster, judge, type Need, SMALLER } from './memory/forecaster.js';
import { LearntMemory } from './memory/learnt-memory.js';
import { machineFreeBytes } from './memory/machine-memory.js';
import { MemoryAccount } from './memory/memory-account.js';
import { type ComputePoolOptions, type PoolSettings, settingsOf } from './pool-options.js';
import { type Waiting, WaitingLine } from './waiting-line.js';
import { WorkHome } from './work-home.js';

interface Waiter extends Waiting {
  readonly model: ModelRef;
  readonly need: Need;
  readonly limitBytes: number;
  readonly start: (child: ComputeChild) => void;
  readonly refuse: (error: Error) => void;
}

interface Turn {
  readonly model: ModelRef;
  readonly need: Need;
  readonly limits: TaskLimits;
  readonly signal?: AbortSignal | undefined;
}

/** Weight of the newest run in the mean that Retry-After is worked out from. */
const NEWEST = 0.2;
const LONGEST_RETRY_SECONDS = 600;

export class Pool implements ComputePool {
  readonly #settings: PoolSettings;
  readonly #counters = makeCounters();
  readonly #line = new WaitingLine<Waiter>();
  readonly #children: Children;
  readonly #memory: MemoryAccount;
  readonly #home: WorkHome;
  readonly #learnt: LearntMemory;
  readonly #forecaster: Forecaster;
  readonly #running = new Set<Promise<unknown>>();
  #homePath = '';
  #meanSeconds = 1;
  #closed = false;
  #asked: Promise<unknown> = Promise.resolve();

  constructor(options: ComputePoolOptions) {
    this.#settings = settingsOf(options);
    this.#children = new Children(this.#settings, this.#counters, () => this.#dispatch());
    this.#memory = new MemoryAccount(this.#settings, this.#children, options.freeBytes ?? machineFreeBytes);
    this.#home = new WorkHome(this.#settings.workFolder);
    this.#learnt = new LearntMemory(options.learnt, options.onLearnt);
    this.#forecaster = new Forecaster(this.#learnt);
  }

  async run(task: ComputeTask, limits: TaskLimits = {}, watch: Watch = {}): Promise<TaskAnswer> {
    const { model } = task;
    const need = await this.#inOrder(this.#forecaster.need(task));
    const forecast = judge(need, this.#memory.bound(limits), Number.POSITIVE_INFINITY);
    if (!forecast.fits) throw this.#tooLarge(forecast);
    const child = await this.#turn({ model, need, limits, signal: watch.signal });
    return this.#follow(this.#compute(child, task, need, limits, watch));
  }

  async forecast(task: Pick<ComputeTask, 'model' | 'inputPath'>): Promise<Forecast> {
    return judge(
      await this.#forecaster.need(task),
      this.#memory.bound({}),
      this.#memory.capacity() - this.#memory.reserved(),
    );
  }

  /** Forecasts read files and end in any order; the line is entered in the order of asking. */
  async #inOrder<T>(asked: Promise<T>): Promise<T> {
    const before = this.#asked;
    this.#asked = Promise.allSettled([before, asked]);
    await before;
    return asked;
  }

  async warm(model: ModelRef): Promise<WarmModel> {
    const known = this.#children.models().find(({ sha256 }) => sha256 === model.sha256);
    if (known) return known;
    const child = await this.#turn({ model, need: await this.#forecaster.needOfModel(model), limits: {} });
    const load = async () => {
      try {
        await child.load(model);
        this.#children.rest(child);
        return warmModel(child) as WarmModel;
      } catch (error) {
        void child.kill(cancelled());
        throw error;
      } finally {
        this.#dispatch();
      }
    };
    return this.#follow(load());
  }

  async evict(sha256: string): Promise<boolean> {
    const idle = this.#children.idle.filter(({ model }) => model?.sha256 === sha256);
    await Promise.all(idle.map((child) => this.#children.evict(child, 'asked')));
    return idle.length > 0;
  }

  models(): readonly WarmModel[] {
    return this.#children.models();
  }

  statistics(): PoolStatistics {
    const { evictions, kills, refusals, ...counters } = this.#counters;
    return {
      ...counters,
      evictions: { ...evictions },
      kills: { ...kills },
      refusals: { ...refusals },
      waiting: this.#line.length,
      busy: this.#children.busy.length,
      idle: this.#children.idle.length,
      residentBytes: this.#children.residentBytes,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#line.drain()) waiter.refuse(cancelled());
    await this.#children.endAll();
    await Promise.allSettled(this.#running);
    await this.#home.remove();
  }

  /** Waits for a child and the memory; it is reserved when it comes. */
  async #turn({ model, need, limits, signal }: Turn): Promise<ComputeChild> {
    this.#homePath = await this.#home.path();
    if (this.#closed || signal?.aborted) throw cancelled();
    const since = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let leave = () => {};
    try {
      return await new Promise<ComputeChild>((start, refuse) => {
        const limitBytes = limits.memoryBytes ?? this.#settings.memoryLimitBytes;
        const waiter: Waiter = { model, need, limitBytes, priority: limits.priority ?? 0, start, refuse };
        const giveUp = (error: () => Error) => {
          if (this.#line.remove(waiter)) refuse(error());
        };
        leave = () => giveUp(cancelled);
        this.#line.add(waiter);
        this.#dispatch();
        if (this.#line.length > this.#settings.maximumWaiting) giveUp(() => this.#busy());
        if (limits.waitMs === 0) giveUp(() => this.#busy());
        else if (limits.waitMs !== undefined) timer = setTimeout(() => giveUp(() => this.#busy()), limits.waitMs);
        signal?.addEventListener('abort', leave, { once: true });
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
      this.#counters.waitSeconds += (performance.now() - since) / 1000;
      // Whoever was behind one that gave up may be able to start.
      this.#dispatch();
    }
  }

  #dispatch(): void {
    if (this.#closed) return;
    for (let first = this.#line.first; first; first = this.#line.first) {
      try {
        const child = this.#placeFor(first);
        if (child === undefined) return;
        if (child === 'never')
          throw this.#tooLarge(judge(first.need, this.#memory.bound({ memoryBytes: first.limitBytes }), 0));
        this.#children.use(child, first.need.bytes);
        first.start(child);
      } catch (error) {
        // Also a child that cannot be started: it is this task's failure, and the next may fare better.
        first.refuse(error as Error);
      }
      this.#line.remove(first);
    }
  }

  /** Undefined: not yet. 'never': it would not fit if it were alone (the machine has less than when it came). */
  #placeFor({ model, need, limitBytes }: Waiter): ComputeChild | 'never' | undefined {
    if (this.#children.busy.length >= this.#settings.atOnce) return undefined;
    const warm = this.#children.idleWith(model.sha256);
    const capacity = this.#memory.capacity();
    if (this.#memory.reserved() + need.bytes > capacity && this.#children.busy.length > 0) return undefined;
    if (need.bytes > Math.min(capacity, limitBytes)) return 'never';
    this.#memory.makeRoom(need.bytes, warm);
    if (warm) return warm;
    if (this.#children.working >= this.#settings.maximumChildren) {
      const [longestUnused] = this.#children.idle;
      if (!longestUnused) return undefined;
      void this.#children.evict(longestUnused, 'room');
    }
    return this.#children.take(this.#homePath);
  }

  async #compute(
    child: ComputeChild,
    task: ComputeTask,
    need: Need,
    limits: TaskLimits,
    watch: Watch,
  ): Promise<TaskAnswer> {
    const warm = child.model !== undefined;
    const memoryBytes = limits.memoryBytes ?? this.#settings.memoryLimitBytes;
    const started = performance.now();
    let usable = false;
    let temporaryFolder: string | undefined;
    try {
      const folder = await this.#home.taskFolder();
      temporaryFolder = folder;
      const guard = {
        memoryBytes,
        timeMs: limits.timeMs,
        signal: watch.signal,
        onLook: () => this.#memory.keepBudget(),
      };
      const answer = await guarded(child, guard, async () => {
        if (!warm) await child.load(task.model);
        usable = true;
        const { model: _, ...order } = task;
        const limit = Number.isFinite(memoryBytes) ? { memoryLimitBytes: memoryBytes } : {};
        return child.run({ ...order, temporaryFolder: folder, ...limit }, watch.progress);
      });
      const seconds = (performance.now() - started) / 1000;
      child.runs++;
      this.#counters.runs++;
      if (warm) this.#counters.warmHits++;
      this.#meanSeconds += NEWEST * (seconds - this.#meanSeconds);
      const { report, files, peakMemoryBytes } = answer;
      this.#learnt.add(task.model.sha256, { inputBytes: need.inputBytes, peakBytes: peakMemoryBytes });
      return { report, files, seconds, peakMemoryBytes, warm };
    } catch (error) {
      usable = this.#account(error) && usable;
      await empty(task.outputFolder);
      throw error;
    } finally {
      this.#counters.runSeconds += (performance.now() - started) / 1000;
      if (temporaryFolder) await rm(temporaryFolder, { recursive: true, force: true, maxRetries: 3 });
      if (usable) this.#children.rest(child);
      // Its memory takes the system a while; nobody need wait for that.
      else void child.kill(cancelled());
      this.#dispatch();
      const { spare, maximumChildren } = this.#settings;
      if (spare && !this.#closed && this.#children.working < maximumChildren) this.#children.startSpare(this.#homePath);
    }
  }

  /** False when the child that failed so is of no more use. */
  #account(error: unknown): boolean {
    const kind = isFailure(error) ? error.kind : 'child-crashed';
    if (kind === 'cancelled' || kind === 'time-limit' || kind === 'memory-limit') this.#counters.kills[kind]++;
    else if (kind !== 'child-crashed') {
      this.#counters.failures++;
      return true;
    }
    return false;
  }

  #tooLarge(forecast: Forecast): ForecastRefusal {
    this.#counters.refusals['memory-forecast']++;
    return new ForecastRefusal(forecast, SMALLER);
  }

  #busy(): BusyError {
    this.#counters.refusals.busy++;
    const turns = (this.#line.length + this.#children.busy.length) / this.#settings.atOnce;
    const seconds = Math.ceil(this.#meanSeconds * Math.max(1, turns));
    return new BusyError(Math.min(LONGEST_RETRY_SECONDS, Math.max(1, seconds)), this.#line.length);
  }

  /** `close` waits for it. */
  #follow<T>(work: Promise<T>): Promise<T> {
    const ended = work
      .catch(() => {})
      .finally(() => {
        this.#running.delete(ended);
      });
    this.#running.add(ended);
    return work;
  }
}

/** The folder itself stays: it is the caller's. */
async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
}
