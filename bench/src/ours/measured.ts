/** The measuring side of our scripts: best of some repeats, and this process's own peak memory (Node included). */
import { ownPeak } from '../peak-memory.js';

export interface MeasureOptions<Result> {
  /** Default 1: the first pass of a fresh process, before the compiler has warmed up. */
  readonly repeats?: number;
  /** What shows that the work was done, from the last result; neither its time nor its memory counts. */
  readonly check?: (result: Result) => unknown;
  /** Peak memory of other processes that took part, from the last result. */
  readonly childrenBytes?: (result: Result) => number;
}

export async function measured<Result>(
  work: () => Result | Promise<Result>,
  options: MeasureOptions<Result> = {},
): Promise<void> {
  let best = Number.POSITIVE_INFINITY;
  let result: Result | undefined;
  for (let n = 0; n < (options.repeats ?? 1); n++) {
    // The last result must not be held while the next one is made.
    result = undefined;
    const started = performance.now();
    result = await work();
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  const last = result as Result;
  const peakBytes = ownPeak() + (options.childrenBytes?.(last) ?? 0);
  const check = options.check ? await options.check(last) : last;
  console.log(JSON.stringify({ seconds: best, peakBytes, check }));
}
