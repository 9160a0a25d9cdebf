/**
 * For tests of the command line: a command run here with what it printed, or as a process of its own; and a private
 * place where everything that is left behind can be seen.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './program.js';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for what must stand in neither. */
  readonly all: string;
}

const bin = fileURLToPath(new URL('../bin/isocenter.js', import.meta.url));

/** One command line in this process. Progress is off: under a test runner stderr is no terminal. */
export async function run(...args: string[]): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const streams = [
    [process.stdout, 'stdout', process.stdout.write],
    [process.stderr, 'stderr', process.stderr.write],
  ] as const;
  for (const [stream, name] of streams)
    stream.write = ((text: string | Uint8Array) => {
      printed[name] += Buffer.from(text as Uint8Array).toString();
      return true;
    }) as typeof stream.write;
  try {
    const status = await runCommandLine(args);
    return { status, ...printed, all: printed.stdout + printed.stderr };
  } finally {
    for (const [stream, , write] of streams) stream.write = write;
  }
}

/** The built program as users start it; `during` gets the process while it runs. */
export async function spawnCli(
  args: readonly string[],
  during: (process: ChildProcess) => unknown = () => undefined,
): Promise<Ran> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    printed.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    printed.stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await during(child);
  const status = await ended;
  return { status, ...printed, all: printed.stdout + printed.stderr };
}

/** A private folder that is also the temporary folder of everything that runs here. */
export class Workplace {
  readonly root = mkdtempSync(join(tmpdir(), 'cli-test-'));
  readonly temporary = join(this.root, 'tmp');
  readonly #usual = process.env.TMPDIR;

  constructor() {
    mkdirSync(this.temporary);
    process.env.TMPDIR = this.temporary;
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Every path below the root, hidden ones too, that `before` does not name. */
  since(before: readonly string[]): string[] {
    return this.everything().filter((path) => !before.includes(path));
  }

  everything(): string[] {
    return readdirSync(this.root, { recursive: true }).map(String).sort();
  }

  remove(): void {
    if (this.#usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = this.#usual;
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The child processes of a process, by /proc; none elsewhere than on Linux. */
export function childrenOf(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Waits until `look` answers something; throws after `ms`. */
export async function eventually<T>(look: () => T | undefined, ms = 30_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('It did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
