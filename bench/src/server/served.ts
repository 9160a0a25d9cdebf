/** A server of a contender while it is measured: started as a process of its own, known by when it answers, ended by its pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Served {
  readonly url: string;
  /** What its memory is summed over. */
  readonly roots: readonly number[];
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the bytes of uploads lie in the end. */
  readonly stored: string;
  stop(): Promise<void>;
}

const LONGEST_START_MS = 120_000;
const LONGEST_STOP_MS = 30_000;
const POLL_MS = 4;

/** Runs `work` with a folder of its own, which is gone afterwards. On TMPDIR: that should be a disk, not memory. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Throws Error with its last words when it has ended. */
  check(): void;
  stop(): Promise<void>;
}

export function startProgram(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Program {
  const child = spawn(command[0], command.slice(1), { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      words = (words + text.toString()).slice(-600);
    });
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    child,
    pid: child.pid ?? 0,
    check() {
      if (failure) throw failure;
      if (ended()) throw new Error(`${command[0]} ended with ${child.exitCode ?? child.signalCode}: ${words}`);
    },
    async stop() {
      if (failure || ended()) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      if (await Promise.race([exit.then(() => true), sleep(LONGEST_STOP_MS, false, { ref: false })])) return;
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Polls until `answers` holds. Throws Error when the program ends or takes too long. */
export async function until(program: Pick<Program, 'check'>, answers: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LONGEST_START_MS;
  while (!(await answers())) {
    program.check();
    if (performance.now() > deadline) throw new Error('it did not answer in time');
    await sleep(POLL_MS);
  }
}

/** Does the address answer with 200? A connection of its own each time, as a supervisor does. */
export async function isOk(url: string, headers: Readonly<Record<string, string>> = {}): Promise<boolean> {
  try {
    const response = await fetch(url, { headers: { ...headers, connection: 'close' } });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
