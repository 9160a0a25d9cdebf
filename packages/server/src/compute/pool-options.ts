/** What a compute pool can be told, and what holds when it is not. */
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MemorySample } from './memory/learnt-memory.js';

export interface ComputePoolOptions {
  /** Children that may live at once, idle ones too; default: one per two processors, at least one. */
  readonly maximumChildren?: number;
  /** Of these, how many may compute at the same time; default: all. */
  readonly atOnce?: number;
  /** Of each child's network; default: processors / atOnce, so that all together fill the machine. */
  readonly threads?: number;
  /** Resident bytes of all children together; default: what machine and control group leave. */
  readonly memoryBudgetBytes?: number;
  /** Resident bytes of one child when the task sets no limit of its own; default: the budget. */
  readonly memoryLimitBytes?: number;
  /** A child that did nothing for so long ends and gives its memory back. */
  readonly idleMs?: number;
  /** A child that after a run holds so much more than after loading its model is ended and not used again. */
  readonly recycleBytes?: number;
  /** Tasks that may wait; one more is refused as `busy`. */
  readonly maximumWaiting?: number;
  /** After the first use, one child without a model is kept started for the next model; it costs about 85 MB. */
  readonly spare?: boolean;
  /** On this machine, private to its user; temporary files of tasks lie in a folder of the pool's own below it. */
  readonly workFolder?: string;
  /** Peaks of earlier runs by model's SHA-256, as `onLearnt` gave them. */
  readonly learnt?: Readonly<Record<string, readonly MemorySample[]>>;
  readonly onLearnt?: (sha256: string, samples: readonly MemorySample[]) => void;
  readonly now?: () => Date;
  /** Bytes that new processes could take now; default: read from the system. */
  readonly freeBytes?: () => number;
}

export type PoolSettings = Required<
  Pick<
    ComputePoolOptions,
    | 'maximumChildren'
    | 'atOnce'
    | 'threads'
    | 'memoryBudgetBytes'
    | 'memoryLimitBytes'
    | 'idleMs'
    | 'recycleBytes'
    | 'maximumWaiting'
    | 'spare'
    | 'workFolder'
    | 'now'
  >
>;

const TEN_MINUTES = 10 * 60_000;
/** What the heap and the allocator keep after a large study, measured, is below this; more is a leak or a fragmented heap. */
const RECYCLE_BYTES = 512 * 2 ** 20;
const MAXIMUM_WAITING = 256;

export function settingsOf(options: ComputePoolOptions): PoolSettings {
  const cores = availableParallelism();
  const maximumChildren = Math.max(1, options.maximumChildren ?? Math.floor(cores / 2));
  const atOnce = Math.max(1, Math.min(options.atOnce ?? maximumChildren, maximumChildren));
  const memoryBudgetBytes = options.memoryBudgetBytes ?? Number.POSITIVE_INFINITY;
  return {
    maximumChildren,
    atOnce,
    threads: Math.max(1, options.threads ?? Math.floor(cores / atOnce)),
    memoryBudgetBytes,
    memoryLimitBytes: options.memoryLimitBytes ?? memoryBudgetBytes,
    idleMs: options.idleMs ?? TEN_MINUTES,
    recycleBytes: options.recycleBytes ?? RECYCLE_BYTES,
    maximumWaiting: options.maximumWaiting ?? MAXIMUM_WAITING,
    spare: options.spare ?? false,
    workFolder: options.workFolder ?? join(tmpdir(), 'isocenter-compute'),
    now: options.now ?? (() => new Date()),
  };
}
