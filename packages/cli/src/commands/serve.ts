/** `isocenter serve`, which `npm start` calls: runs until SIGTERM or Ctrl-C, and ends in order. */
import { createLog, startServer } from '@isocenter/server';
import { type CommandContext, productVersion } from '../program.js';
import { configurationOf, type ServerOptions } from '../server-options.js';
import { runUntilStopped } from './run-until-stopped.js';

export async function serveCommand(options: ServerOptions, { terminal, watch }: CommandContext): Promise<number> {
  const configured = configurationOf(options);
  const { logLevel, logFormat, home } = configured.values;
  const { log, flush } = createLog({ level: logLevel, format: logFormat });
  const server = await startServer(configured, {
    version: productVersion,
    log,
    onLost: () => {
      flush();
      process.exit(1);
    },
  });
  const [main, ...others] = server.doors;
  // performance.now() counts from the start of the process: what the user waited.
  terminal.print(`Isocenter ${productVersion}, ready after ${(performance.now() / 1000).toFixed(2)} s`);
  terminal.print(`  ${main.url}  data in ${home}`);
  for (const { name, url } of others) terminal.print(`  ${url}  ${name} only`);
  if (server.setupLink)
    terminal.print(
      `\nNobody has an account yet. Make the administrator's, once, within a day:\n  ${server.setupLink}\n`,
    );
  try {
    await runUntilStopped(watch.signal ?? new AbortController().signal, () => server.stop());
  } finally {
    flush();
  }
  // Whatever a library left open must not keep a stopped server alive.
  return process.exit(0);
}
