/** Work that is done again and again in the background: never twice at once, and a failure is logged, not fatal. */
import type { JobsLog } from '../jobs/jobs-log.js';

export interface Regularly {
  /** Ends it and waits for the turn that runs. */
  stop(): Promise<void>;
}

export function regularly(everyMs: number, what: string, log: JobsLog, work: () => Promise<unknown>): Regularly {
  let turn: Promise<void> | undefined;
  const run = () => {
    turn ??= work()
      .then(
        () => undefined,
        (error: unknown) =>
          log.warn({ what, error: error instanceof Error ? error.name : 'unknown' }, 'background work failed'),
      )
      .finally(() => {
        turn = undefined;
      });
  };
  run();
  const timer = setInterval(run, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await turn;
    },
  };
}
