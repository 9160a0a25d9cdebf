/** The children of a pool: who is warm with what, who goes first when room is needed, who was idle for too long. */
import { cancelled } from '@isocenter/engine/processes';
import { ComputeChild } from './compute-child.js';
import type { EvictionReason, ModelRef, WarmModel } from './compute-pool.js';
import type { Counters } from './counters.js';
import type { PoolSettings } from './pool-options.js';

export class Children {
  /** In the order of last use, the longest unused first. */
  #all: ComputeChild[] = [];
  readonly #timers = new Map<ComputeChild, NodeJS.Timeout>();

  constructor(
    private readonly settings: PoolSettings,
    private readonly counters: Counters,
    /** Something became free. */
    private readonly onChange: () => void,
  ) {}

  get all(): readonly ComputeChild[] {
    return this.#all;
  }

  /** A child in its last moments counts no more; nor does the spare one, which computes nothing. */
  get working(): number {
    return this.#all.filter(({ state }) => state !== 'ended' && state !== 'empty').length;
  }

  get residentBytes(): number {
    return this.#all.reduce((sum, child) => sum + child.residentBytes, 0);
  }

  get busy(): readonly ComputeChild[] {
    return this.#all.filter(({ state }) => state === 'busy' || state === 'starting');
  }

  /** Idle children, the longest unused first. */
  get idle(): readonly ComputeChild[] {
    return this.#all.filter(({ state }) => state === 'idle');
  }

  idleWith(sha256: string): ComputeChild | undefined {
    return this.idle.findLast(({ model }) => model?.sha256 === sha256);
  }

  /** The spare child, or a new one. */
  take(home: string): ComputeChild {
    return this.#all.find(({ state }) => state === 'empty') ?? this.#start(home);
  }

  startSpare(home: string): void {
    if (!this.#all.some(({ state }) => state === 'empty')) this.#idleSince(this.#start(home));
  }

  use(child: ComputeChild, reservedBytes: number): void {
    clearTimeout(this.#timers.get(child));
    child.reservedBytes = reservedBytes;
    child.state = child.model ? 'busy' : 'starting';
    child.lastUsedAt = this.settings.now();
    this.#all = [...this.#all.filter((other) => other !== child), child];
  }

  /** After its work: idle, or ended when it never got its model. */
  rest(child: ComputeChild): void {
    child.reservedBytes = 0;
    if (child.killed || child.state === 'ended') return;
    child.lastUsedAt = this.settings.now();
    child.state = 'idle';
    this.#idleSince(child);
  }

  /** Resolved when the process is gone. */
  evict(child: ComputeChild, reason: EvictionReason): Promise<void> {
    this.counters.evictions[reason]++;
    return this.#end(child);
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#all.map((child) => this.#end(child)));
  }

  models(): WarmModel[] {
    return this.#all.flatMap((child) => warmModel(child) ?? []);
  }

  #end(child: ComputeChild): Promise<void> {
    const gone = child.kill(cancelled());
    // At once: no task may be given to it between the signal and its end.
    child.state = 'ended';
    return gone;
  }

  #start(home: string): ComputeChild {
    this.counters.childrenStarted++;
    const child = new ComputeChild(
      { home, threads: this.settings.threads },
      {
        ended: (gone) => {
          if (!gone.killed) this.counters.crashes++;
          clearTimeout(this.#timers.get(gone));
          this.#timers.delete(gone);
          this.#all = this.#all.filter((other) => other !== gone);
          this.onChange();
        },
        rested: (rested) => this.#recycle(rested),
      },
      this.settings.now(),
    );
    this.#all.push(child);
    return child;
  }

  #recycle(child: ComputeChild): void {
    if (child.state === 'idle' && child.residentBytes - child.loadedBytes > this.settings.recycleBytes)
      void this.evict(child, 'recycled');
  }

  #idleSince(child: ComputeChild): void {
    const timer = setTimeout(() => void this.evict(child, 'idle'), this.settings.idleMs);
    timer.unref();
    this.#timers.set(child, timer);
  }
}

/** Nothing for a child without a model, or one that is ending. */
export function warmModel(child: ComputeChild & { readonly model?: ModelRef | undefined }): WarmModel | undefined {
  const { model, state, pid, residentBytes, runs, lastUsedAt } = child;
  if (!model || state === 'empty' || state === 'ended') return undefined;
  return { address: model.address, sha256: model.sha256, state, pid, residentBytes, runs, lastUsedAt };
}
