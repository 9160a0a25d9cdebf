/** For tests of commands about servers: `isocenter serve` as users start it, up to "ready". */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './run-cli.suite.js';

const bin = fileURLToPath(new URL('../bin/isocenter.js', import.meta.url));
const READY_MS = 90_000;

export interface Serving {
  readonly url: string;
  readonly pid: number;
  /** Standard output and error so far. */
  output(): string;
  /** Resolves to the exit status; may be called again. */
  stop(): Promise<number | null>;
}

export async function serve(args: readonly string[]): Promise<Serving> {
  const child = spawn(process.execPath, [bin, 'serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await eventually(() => {
    if (child.exitCode !== null) throw new Error(`the server ended:\n${printed}`);
    return /ready after[^\n]*\n +(http:\S+)/.exec(printed)?.[1];
  }, READY_MS).catch((error) => {
    child.kill('SIGKILL');
    throw new Error(printed, { cause: error });
  });
  return {
    url,
    pid: child.pid as number,
    output: () => printed,
    stop: () => {
      if (child.exitCode === null) child.kill('SIGTERM');
      return ended;
    },
  };
}
