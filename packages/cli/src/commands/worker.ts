/** `isocenter worker`: takes jobs of a server on this or another machine until SIGTERM or Ctrl-C. */
import { createLog, startWorkerProcess } from '@isocenter/server';
import { type CommandContext, productVersion } from '../program.js';
import { configurationOf, type ServerOptions } from '../server-options.js';
import { runUntilStopped } from './run-until-stopped.js';

export async function workerCommand(options: ServerOptions, { terminal, watch }: CommandContext): Promise<number> {
  const { values } = configurationOf(options);
  const { log, flush } = createLog({ level: values.logLevel, format: values.logFormat });
  const worker = await startWorkerProcess(values, { log, version: productVersion });
  terminal.print(`Isocenter ${productVersion}, worker ${worker.id} takes ${worker.slots} at once`);
  try {
    await runUntilStopped(watch.signal ?? new AbortController().signal, () => worker.stop());
  } finally {
    flush();
  }
  return process.exit(0);
}
