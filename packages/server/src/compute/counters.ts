/** The pool's counters, for metrics; only ever counted up. */
import type { EvictionReason, PoolStatistics } from './compute-pool.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends number ? number : Mutable<T[K]> };

export type Counters = Mutable<Omit<PoolStatistics, 'waiting' | 'busy' | 'idle' | 'residentBytes'>>;

const EVICTIONS: Record<EvictionReason, number> = { idle: 0, room: 0, recycled: 0, asked: 0 };

export function makeCounters(): Counters {
  return {
    runs: 0,
    failures: 0,
    warmHits: 0,
    childrenStarted: 0,
    evictions: { ...EVICTIONS },
    kills: { cancelled: 0, 'time-limit': 0, 'memory-limit': 0 },
    crashes: 0,
    refusals: { busy: 0, 'memory-forecast': 0 },
    runSeconds: 0,
    waitSeconds: 0,
  };
}
