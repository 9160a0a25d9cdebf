/** The whole server as its users start it, a process of its own on a data directory of its own, and what can be seen of it from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, type Role } from '@isocenter/client';

const PROGRAM = resolve(fileURLToPath(import.meta.url), '../../../../cli/bin/isocenter.js');
const READY_MS = 300_000;
const STOP_MS = 120_000;

export interface ServerProcessOptions {
  /** Default: a new folder, removed at the end. */
  readonly home?: string;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the process, before the program. */
  readonly nodeArguments?: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A data directory that PostgreSQL's account can walk into, also when we are root. */
export async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'isocenter-whole-'));
  await chmod(home, 0o711);
  return home;
}

/** `isocenter …` to its end; killed after five minutes. */
export async function runProgram(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { child, output } = start(args, environment);
  const timer = setTimeout(() => child.kill('SIGKILL'), 300_000);
  const code = await new Promise<number | null>((done) => child.once('close', done));
  clearTimeout(timer);
  return { code, output: output() };
}

function start(args: readonly string[], environment: Readonly<Record<string, string>>, node: readonly string[] = []) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^ISOCENTER_|^DATABASE_URL$|^VITEST|^NODE_/.test(name),
  );
  const child = spawn(process.execPath, [...node, PROGRAM, ...args], {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => parts.push(text));
  return { child, output: () => parts.join('') };
}

export class ServerProcess {
  readonly home: string;
  readonly url: string;
  /** Proves that we own the data directory: may do everything. */
  readonly token: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #output: () => string;
  readonly #ownsHome: boolean;

  private constructor(
    home: string,
    ownsHome: boolean,
    child: ChildProcess,
    output: () => string,
    address: { readonly url: string; readonly token: string },
  ) {
    this.home = home;
    this.#ownsHome = ownsHome;
    this.#child = child;
    this.#output = output;
    this.pid = child.pid as number;
    this.url = address.url;
    this.token = address.token;
  }

  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const home = options.home ?? (await newHome());
    const args = ['serve', '--port', '0', ...(options.arguments ?? [])];
    const environment = { ISOCENTER_HOME: home, ...options.environment };
    const { child, output } = start(args, environment, options.nodeArguments);
    try {
      const deadline = performance.now() + READY_MS;
      while (!output().includes('ready after')) {
        if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline)
          throw new Error(`the server did not start:\n${output()}`);
        await sleep(20);
      }
      const address = JSON.parse(await readFile(join(home, 'run', 'server.json'), 'utf8'));
      return new ServerProcess(home, options.home === undefined, child, output, address);
    } catch (error) {
      child.kill('SIGKILL');
      await endPostgres(home);
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
      throw error;
    }
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Standard output and error so far. */
  get output(): string {
    return this.#output();
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  client(key = this.token): Client {
    return createClient({ url: this.url, key, reconnectMs: 100 });
  }

  async key(role: Role, name: string): Promise<string> {
    return (await this.client().keys.create({ name, role })).key;
  }

  /** The one-time link of a first start. */
  async setupLink(): Promise<URL> {
    const link = () => /http\S+\/setup\?token=\S+(?=\s)/.exec(this.output)?.[0];
    await eventually('the link of the first start is printed', () => link() !== undefined);
    return new URL(link() as string);
  }

  /** With a key; `undefined`: as nobody. */
  request(key: string | undefined, method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
    return fetch(`${this.url}${path}`, { ...init, method, headers });
  }

  async ready(): Promise<boolean> {
    return (await fetch(`${this.url}/health/ready`)).status === 200;
  }

  /** Bytes; the most since the last `forgetPeak`. */
  get peakBytes(): number {
    return statusOf(this.pid, 'VmHWM');
  }

  get residentBytes(): number {
    return statusOf(this.pid, 'VmRSS');
  }

  forgetPeak(): void {
    // proc(5): resets the peak resident set size.
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  /** Open files, sockets and pipes by what they are. */
  get handles(): readonly string[] {
    const folder = `/proc/${this.pid}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(join(folder, name))];
      } catch {
        return [];
      }
    });
  }

  /** This process and all below it, also PostgreSQL. */
  get processes(): readonly { readonly pid: number; readonly command: string; readonly residentBytes: number }[] {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const stat = read(`/proc/${name}/stat`);
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    }
    const isOurs = (pid: number): boolean => pid === this.pid || (pid > 1 && isOurs(parents.get(pid) ?? 0));
    return [...parents.keys()].filter(isOurs).map((pid) => ({
      pid,
      command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '),
      residentBytes: statusOf(pid, 'VmRSS'),
    }));
  }

  /** Files that are there for the length of a request or job: none when nothing runs. */
  async leavings(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const folder of ['temporary', 'copies', 'work', 'blobs/incoming']) {
      const names = await readdir(join(this.home, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      // Marks of live processes are files of their own; what holds images has bytes.
      for (const entry of names)
        if (entry.isFile()) found.push(join(folder, entry.parentPath.slice(this.home.length), entry.name));
    }
    return found;
  }

  /** As a user stops it. */
  async stop(): Promise<Ended> {
    const ended = this.alive ? new Promise((done) => this.#child.once('exit', done)) : undefined;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
    return { code: this.#child.exitCode, output: this.output };
  }

  /** Whatever happened: nothing runs and nothing stays. */
  async close(): Promise<void> {
    await this.stop();
    await endPostgres(this.home);
    if (this.#ownsHome) await rm(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** The database of a server that was killed, by the number in its own lock file. */
export async function endPostgres(home: string): Promise<void> {
  const lock = await readFile(join(home, 'postgres/data/postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(lock.split('\n', 1)[0]);
  if (!(pid > 1) || !read(`/proc/${pid}/cmdline`).includes(home)) return;
  process.kill(pid, 'SIGQUIT');
  for (let turn = 0; turn < 100 && read(`/proc/${pid}/cmdline`) !== ''; turn++) await sleep(50);
}

export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(100);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function statusOf(pid: number, field: string): number {
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}
