/** Jobs one after the other on an idle worker: how long from asking to its first line, and that each ran once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ownPeak } from '../peak-memory.js';
import { milliseconds, print, quantile } from './printed.js';

export interface Queue {
  onStarted(listener: (n: number) => void): void;
  /** Resolves when the job is acknowledged: durable. */
  enqueue(n: number): Promise<void>;
  isIdle(): Promise<boolean>;
}

/** The first ones pay for compilation, connections and caches of plans. */
const WARM_UP = 20;
/** Longer than either takes to write the end of a job: the next one shall find an idle worker. */
const PAUSE_MS = 5;
const LONGEST_MS = 30_000;

export async function latencies(count: number, queue: Queue): Promise<void> {
  const asked: number[] = [];
  const started: number[] = [];
  const acknowledged: number[] = [];
  let runs = 0;
  queue.onStarted((n) => {
    started[n] = performance.now();
    runs++;
  });
  for (let n = 0; n < WARM_UP + count; n++) {
    asked[n] = performance.now();
    await queue.enqueue(n);
    acknowledged[n] = performance.now() - asked[n];
    const deadline = performance.now() + LONGEST_MS;
    while (started[n] === undefined || !(await queue.isIdle())) {
      if (performance.now() > deadline) throw new Error(`job ${n} did not start`);
      await sleep(1);
    }
    await sleep(PAUSE_MS);
  }
  const times = started.map((time, n) => time - asked[n]).slice(WARM_UP);
  print({
    seconds: quantile(times, 0.5) / 1000,
    peakBytes: ownPeak(),
    check: { runs: runs - WARM_UP },
    figures: [
      `p95 ${milliseconds(quantile(times, 0.95))}`,
      `acknowledged after ${milliseconds(quantile(acknowledged.slice(WARM_UP), 0.5))}`,
    ],
  });
}
