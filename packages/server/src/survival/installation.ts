/** Servers and workers of one run in temporary folders of their own, and how the run reaches their database. */
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, ProblemError } from '@isocenter/client';
import pg from 'pg';
import { readAddress } from '../serve/address-file.js';
import { belonging, kill, postmasterOf, processes } from './process-table.js';
import { Supervised } from './supervised.js';
import { until } from './until.js';

/** From here, built or not, the program of the repository. */
export const PROGRAM = fileURLToPath(new URL('../../../cli/bin/isocenter.js', import.meta.url));

export interface InstallationOptions {
  readonly workers: number;
  /** Jobs at once in the server, asked at each of its starts. */
  readonly serverWorkers: () => number;
  /** Instead of the embedded PostgreSQL. */
  readonly databaseUrl?: string;
  readonly blobStore?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Each worker as on a machine of its own: with its own data directory. Needs the two above. */
  readonly apart?: boolean;
  /** Address of the server; default loopback. Another one needs `key`, since the owner's token counts on loopback only. */
  readonly host?: string;
  /** An API key that exists; default: one is made. */
  readonly key?: string;
  /** The same database as this process reaches it, when that differs. */
  readonly askUrl?: string;
  /** Before the program, such as `ip netns exec name`; `worker` undefined: the server. */
  readonly before?: (worker: number | undefined) => readonly string[];
}

/** One statement on a connection of its own: a look from outside, that fails while PostgreSQL is away. */
export type Ask = <Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

const START_MS = 180_000;
/** The longest a graceful stop may take: 20 s of grace, then what is left is given back. */
const STOP_MS = 90_000;

export class Installation {
  readonly server: Supervised;
  readonly workers: readonly Supervised[];
  /** Everything of this run lies below. */
  readonly folder: string;
  readonly home: string;
  /** Where processes of this run put temporary files. */
  readonly temporary: string;
  readonly #databaseUrl: string | undefined;
  readonly #key: string | undefined;
  readonly #clusters = new Set<string>();
  #url: string | undefined;
  #client: Client | undefined;

  private constructor(folder: string, port: number, options: InstallationOptions) {
    this.folder = folder;
    this.home = join(folder, 'home');
    this.temporary = join(folder, 'tmp');
    this.#databaseUrl = options.askUrl ?? options.databaseUrl;
    this.#key = options.key;
    const { databaseUrl, blobStore, host = '127.0.0.1', apart, before } = options;
    const env = { ...process.env, ...options.env, TMPDIR: this.temporary };
    const shared = [
      ...(databaseUrl === undefined ? [] : ['--database-url', databaseUrl]),
      ...(blobStore === undefined ? [] : ['--blob-store', blobStore]),
    ];
    const at = (home: string) => [...shared, '--home', home, '--set', 'logFormat=json'];
    this.server = new Supervised({
      name: 'server',
      before: before?.(undefined) ?? [],
      args: () => [
        PROGRAM,
        'serve',
        ...at(this.home),
        '--host',
        host,
        '--port',
        String(port),
        '--workers',
        String(options.serverWorkers()),
      ],
      env,
      readyText: 'ready after',
      logFile: join(folder, 'server.log'),
    });
    this.workers = Array.from({ length: options.workers }, (_, n) => {
      const home = apart ? join(folder, `home-of-worker-${n + 1}`) : this.home;
      return new Supervised({
        name: `worker ${n + 1}`,
        before: before?.(n) ?? [],
        args: () => [PROGRAM, 'worker', ...at(home), '--workers', '1'],
        env,
        readyText: 'at once',
        logFile: join(folder, `worker-${n + 1}.log`),
        idle: true,
      });
    });
  }

  /** Server first, since workers refuse a database that no server has prepared. */
  static async start(options: InstallationOptions): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), 'isocenter-survival-'));
    // PostgreSQL runs as another account when we are root, and walks through.
    await chmod(folder, 0o711);
    await mkdir(join(folder, 'tmp'), { mode: 0o700 });
    const installation = new Installation(folder, await freePort(), options);
    try {
      await installation.ready();
      for (const worker of installation.workers) worker.start();
      return installation;
    } catch (error) {
      await installation.close();
      throw error;
    }
  }

  get programs(): readonly Supervised[] {
    return [this.server, ...this.workers];
  }

  /** Names of all PostgreSQL clusters that were seen. */
  get clusters(): readonly string[] {
    return [...this.#clusters];
  }

  /** The server answers that it can work. */
  async ready(): Promise<void> {
    await until(START_MS, 'the server is ready', async () => {
      const address = this.#address();
      if (!address || !this.server.ready) return undefined;
      const answer = await fetch(`${address.url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
      return answer.ok || undefined;
    });
    await this.postmaster();
  }

  /** With a key that outlives restarts: who asks stays the same, and so do idempotency keys. */
  async client(): Promise<Client> {
    this.#client ??= await this.#newClient();
    return this.#client;
  }

  async #newClient(): Promise<Client> {
    return until(START_MS, 'a key is made', async () => {
      const address = this.#address();
      if (!address) return undefined;
      if (this.#key !== undefined) return createClient({ url: address.url, key: this.#key, reconnectMs: 200 });
      const owner = createClient({ url: address.url, key: address.token });
      try {
        const { key } = await owner.keys.create({ name: 'survival', role: 'service' });
        return createClient({ url: address.url, key, reconnectMs: 200 });
      } catch (error) {
        if (error instanceof ProblemError) return undefined;
        throw error;
      }
    });
  }

  /** The embedded one's first process; undefined when it does not run at this moment. */
  async postmaster(): Promise<{ readonly pid: number; readonly cluster: string } | undefined> {
    const found = postmasterOf(await processes(), this.home);
    if (found) this.#clusters.add(found.cluster);
    return found;
  }

  readonly ask: Ask = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => {
    this.#url ??= this.#databaseUrl ?? (await connectionOf(this.home));
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  /** In order: workers, then the server. Names of those that had to be killed. */
  async stop(): Promise<readonly string[]> {
    const late: string[] = [];
    for (const group of [this.workers, [this.server]])
      await Promise.all(
        group.map(async (program) => {
          if (!(await program.stop(STOP_MS))) late.push(program.name);
        }),
      );
    return late;
  }

  /** Ends whatever still runs and removes all folders; also after a failure. */
  async close(keep = false): Promise<void> {
    await this.postmaster();
    await Promise.all(this.programs.map((program) => program.stop(0)));
    for (const { pid } of belonging(await processes(), this.folder, this.clusters)) kill(pid);
    if (!keep) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #address() {
    try {
      return readAddress(this.home);
    } catch {
      return undefined;
    }
  }
}

async function connectionOf(home: string): Promise<string> {
  return (JSON.parse(await readFile(join(home, 'connection.json'), 'utf8')) as { url: string }).url;
}

/** The server keeps it over its restarts, as in an installation. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
