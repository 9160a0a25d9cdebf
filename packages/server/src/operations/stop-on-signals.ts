/** SIGTERM and SIGINT end the process in order, once; a second one at once. */
import type { Logger } from 'pino';

export interface Stoppable {
  readonly log: Logger;
  /** Ends everything; when it resolves the process may exit. */
  stop(): Promise<void>;
  /** For tests; default this process. */
  readonly process?: Pick<NodeJS.Process, 'on' | 'off' | 'exit'>;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** 128 + SIGINT, as shells have it. */
const IMPATIENT = 130;

/** Returns what takes the listeners away again. */
export function stopOnSignals({ log, stop, process: own = process }: Stoppable): () => void {
  let stopping = false;
  const listener = (signal: NodeJS.Signals): void => {
    if (stopping) {
      log.warn({ signal }, 'stopped at once');
      own.exit(IMPATIENT);
    }
    stopping = true;
    log.info({ signal }, 'stopping; a second signal ends it at once');
    stop().then(
      () => own.exit(0),
      (error: unknown) => {
        log.error({ error }, 'stopping failed');
        own.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) own.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) own.off(signal, listener);
  };
}
