/**
 * The PostgreSQL that npm installed, on our own data: made on first start, watched while we run, started again when it dies, stopped
 * cleanly. Our connections use a role that owns one database and nothing else, as on an external server.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { initialise, reachableBinaries, SUPERUSER } from './initialise.js';
import { type Location, locate, rememberLocation } from './location.js';
import { findBinaries, type PostgresBinaries } from './platform-binaries.js';
import { type Postmaster, startPostmaster } from './postmaster.js';
import { type RunAs, unprivilegedUser } from './run-as.js';
import { type EmbeddedSettings, SOCKET_PORT } from './settings.js';

export interface EmbeddedOptions extends EmbeddedSettings {
  /** Exists; this process holds its lock. */
  readonly home: string;
  /** 'down': it died, 'up': it answers again, 'failed': it does not start; another attempt follows. */
  readonly onEvent?: (event: 'down' | 'up' | 'failed', error?: unknown) => void;
}

const ROLE = 'isocenter';
const DATABASE = 'isocenter';
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

export class EmbeddedPostgres {
  readonly #location: Location;
  readonly #password: string;
  readonly #options: EmbeddedOptions;
  readonly #start: () => Promise<Postmaster>;
  #postmaster: Postmaster;
  readonly #stopping = new AbortController();
  readonly #supervision: Promise<void>;

  private constructor(
    location: Location,
    password: string,
    options: EmbeddedOptions,
    start: () => Promise<Postmaster>,
    postmaster: Postmaster,
  ) {
    this.#location = location;
    this.#password = password;
    this.#options = options;
    this.#start = start;
    this.#postmaster = postmaster;
    this.#supervision = this.#supervise();
    process.once('exit', this.#endWithUs);
  }

  /** Throws StateError `binaries-missing`, `no-unprivileged-user`, `data-missing`, `start-failed`. */
  static async start(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
    const runAs = await unprivilegedUser();
    const [found, location] = await Promise.all([findBinaries(), locate(options.home, runAs)]);
    const binaries = await reachableBinaries(found, runAs);
    if (!location.exists) await initialise(location, binaries, runAs, { sync: options.durable ?? true });
    return EmbeddedPostgres.#startAt(location, binaries, runAs, options);
  }

  static async #startAt(
    location: Location,
    binaries: PostgresBinaries,
    runAs: RunAs | undefined,
    options: EmbeddedOptions,
  ): Promise<EmbeddedPostgres> {
    const password = (await readFile(location.password, 'utf8')).trim();
    const start = () => startPostmaster(location, binaries, runAs, options);
    const postmaster = await start();
    const postgres = new EmbeddedPostgres(location, password, options, start, postmaster);
    try {
      if (!location.settled) {
        await postgres.#makeDatabase();
        await rememberLocation(options.home, location);
      }
    } catch (error) {
      await postgres.stop();
      throw error;
    }
    return postgres;
  }

  /** For pg, pg-boss and workers on this machine; the role owns its database and has no other rights. */
  get url(): string {
    return this.#url(ROLE, DATABASE);
  }

  /** For tests that make further databases. */
  get administratorUrl(): string {
    return this.#url(SUPERUSER, 'postgres');
  }

  /** Folder of the database, not always in home (location.ts). */
  get folder(): string {
    return this.#location.folder;
  }

  /** Of the first process, for metrics and tests. */
  get pid(): number {
    return this.#postmaster.pid;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#endWithUs);
    this.#stopping.abort();
    await this.#supervision;
    await this.#postmaster.stop();
  }

  #url(role: string, database: string): string {
    const { tcpPort } = this.#options;
    const place =
      tcpPort === undefined
        ? `localhost/${database}?host=${encodeURIComponent(this.#location.run)}&port=${SOCKET_PORT}`
        : `127.0.0.1:${tcpPort}/${database}`;
    return `postgresql://${role}:${this.#password}@${place}`;
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!signal.aborted) {
      await Promise.race([this.#postmaster.ended, stopped]);
      if (signal.aborted) return;
      this.#options.onEvent?.('down');
      for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
        try {
          this.#postmaster = await this.#start();
          this.#options.onEvent?.('up');
          break;
        } catch (error) {
          this.#options.onEvent?.('failed', error);
          await sleep(pause, undefined, { signal }).catch(() => undefined);
        }
      }
    }
  }

  /** The role and the database are made after the first start; after a kill in between the next start does it. */
  async #makeDatabase(): Promise<void> {
    if (await this.#databaseExists()) return;
    const client = new pg.Client({ connectionString: this.administratorUrl });
    await client.connect();
    try {
      const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [ROLE]);
      if (!rowCount) {
        await client.query(`create role ${ROLE} login password ${client.escapeLiteral(this.#password)}`);
      }
      await client.query(`create database ${DATABASE} owner ${ROLE}`);
    } finally {
      await client.end();
    }
  }

  async #databaseExists(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url });
    try {
      await client.connect();
      await client.end();
      return true;
    } catch (error) {
      // 28P01: no such role (PostgreSQL does not tell it from a wrong password); 3D000: no such database.
      if (['28P01', '3D000'].includes((error as { code?: string }).code ?? '')) return false;
      throw error;
    }
  }

  /** An exit without `stop` (an uncaught error, process.exit): it shall not outlive us. */
  readonly #endWithUs = (): void => {
    try {
      process.kill(this.#postmaster.pid, 'SIGINT');
    } catch {
      // It has ended already.
    }
  };
}
