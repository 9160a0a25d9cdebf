/** Keeps a server or worker running until Ctrl-C or SIGTERM; a second signal ends the process at once. */
import { setTimeout as sleep } from 'node:timers/promises';

/** npm and a terminal both pass Ctrl-C on: the same press must not count as two. */
const SAME_PRESS_MS = 1_000;

export async function runUntilStopped(signal: AbortSignal, stop: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const impatient = () => process.exit(130);
  const ignored = () => undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, ignored);
  const patience = sleep(SAME_PRESS_MS, undefined, { ref: false }).then(() => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, impatient);
  });
  await stop();
  void patience;
}
