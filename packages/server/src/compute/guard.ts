/** Cancel, time limit and memory limit of a piece of work in a child: each ends in SIGKILL and its own error. */
import { cancelled, overMemory, overTime } from '@isocenter/engine/processes';
import type { ComputeChild } from './compute-child.js';

export interface GuardLimits {
  readonly memoryBytes: number;
  readonly timeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** At each look at the memory, for limits that concern several children. */
  readonly onLook?: () => void;
}

/** A child that grows by 1 GB a second passes its limit by 50 MB at most. */
const LOOK_EVERY_MS = 50;
/** A longer timer fires at once; 24 days are no limit anyway. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Throws what `work` throws, which fails with the guard's reason once the child is gone. */
export async function guarded<T>(child: ComputeChild, limits: GuardLimits, work: () => Promise<T>): Promise<T> {
  const { signal, timeMs, memoryBytes } = limits;
  const onAbort = () => void child.kill(cancelled());
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const timer =
    timeMs === undefined
      ? undefined
      : setTimeout(() => void child.kill(overTime(timeMs)), Math.min(timeMs, LONGEST_TIMER_MS));
  const look = setInterval(() => {
    const resident = child.residentBytes;
    if (resident > memoryBytes) void child.kill(overMemory(resident, memoryBytes));
    else limits.onLook?.();
  }, LOOK_EVERY_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    clearInterval(look);
    signal?.removeEventListener('abort', onAbort);
  }
}
