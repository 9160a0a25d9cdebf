/** Waiting for something that comes in its own time, with a deadline that a loaded machine keeps. */
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;

/** Errors of `look` count as "not yet"; the last one is the cause of the one thrown when `ms` have passed. */
export async function until<T>(ms: number, what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + ms;
  let cause: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`It did not happen within ${ms / 1000} s that ${what}`, { cause });
    await sleep(LOOK_EVERY_MS);
  }
}
