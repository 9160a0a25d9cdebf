/**
 * Opens the state of a server (lock, PostgreSQL, migrations) or joins that of a running one (`isocenter worker`). Hop 1 of this
 * folder: from here to embedded/, migrate.ts and connect.ts.
 */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { createDatabase, createPool } from './connect.js';
import type { Database } from './database.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';
import type { EmbeddedSettings } from './embedded/settings.js';
import { checkExternal, placeOf } from './external-postgres.js';
import { checkMigrated, migrate } from './migrate.js';
import { connectFailure } from './postgres-error.js';
import { lockServer, type ServerLock } from './server-lock.js';
import { type Settings, StoredSettings } from './settings.js';
import { StateError } from './state-error.js';
import { writeSecret } from './write-secret.js';

/** 'lost': another server took our data directory while this process did not run; end at once. */
export type StateEvent = 'down' | 'up' | 'failed' | 'lost';

export interface State {
  readonly kind: 'embedded' | 'external';
  /** Its queries throw StateError `unavailable` while PostgreSQL is away. */
  readonly db: Database;
  /** The same connections without Kysely; errors as pg gives them (see withUnavailable). */
  readonly pool: Pool;
  /** For pg-boss and LISTEN clients. Secret: holds the password. */
  readonly url: string;
  /** Where it is, to tell the administrator: folder, or host:port/database; no user, no password. */
  readonly place: string;
  /** Random id of this database, made by its first migration. */
  readonly installationId: string;
  readonly settings: Settings;
  /** Idempotent; the database must have no users of ours left that matter. */
  close(): Promise<void>;
}

export interface OpenStateOptions {
  /** Data directory; made when missing. */
  readonly home: string;
  /** An external PostgreSQL; default: the embedded one. */
  readonly databaseUrl?: string;
  readonly applicationName?: string;
  readonly maximumConnections?: number;
  readonly statementTimeoutMs?: number;
  /** Only tests change how the built-in database runs. */
  readonly embedded?: EmbeddedSettings;
  /** What makes the schema; default: `migrate`. Restore gives its own. */
  readonly prepare?: (db: Database) => Promise<void>;
  readonly onEvent?: (event: StateEvent, error?: unknown) => void;
}

const CONNECTION_FILE = 'connection.json';
const CLOSE_MS = 5_000;

/**
 * For a server: throws StateError; `in-use` when another one has the data directory, the kinds of EmbeddedPostgres.start,
 * checkExternal and migrate otherwise. After an error nothing runs and nothing is locked.
 */
export async function openState(options: OpenStateOptions): Promise<State> {
  const { home, databaseUrl } = options;
  if (databaseUrl !== undefined) placeOf(databaseUrl);
  await makeHome(home);
  const lock = await lockServer(home, { onLost: () => options.onEvent?.('lost') });
  let embedded: EmbeddedPostgres | undefined;
  try {
    if (databaseUrl === undefined)
      embedded = await EmbeddedPostgres.start({ ...options.embedded, home, onEvent: options.onEvent });
    else await checkExternal(databaseUrl);
    const url = databaseUrl ?? (embedded as EmbeddedPostgres).url;
    const state = await connectState(url, options, embedded, lock, options.prepare ?? migrateOnly);
    await writeSecret(join(home, CONNECTION_FILE), `${JSON.stringify({ url })}\n`);
    return state;
  } catch (error) {
    await embedded?.stop();
    await lock.release();
    throw error;
  }
}

async function migrateOnly(db: Database): Promise<void> {
  await migrate(db);
}

export type JoinStateOptions = Omit<OpenStateOptions, 'home' | 'prepare' | 'embedded'> & { readonly home?: string };

/**
 * For a worker: by `databaseUrl`, or on the server's machine by `home`. Throws StateError `unavailable` when no server runs there,
 * `not-migrated` or `program-too-old` when server and worker are of different versions.
 */
export async function joinState(options: JoinStateOptions): Promise<State> {
  const url = options.databaseUrl ?? (await readConnection(options.home));
  await checkExternal(url);
  return connectState(url, options, undefined, undefined, checkMigrated);
}

async function connectState(
  url: string,
  options: JoinStateOptions,
  embedded: EmbeddedPostgres | undefined,
  lock: ServerLock | undefined,
  prepare: (db: Database) => Promise<void>,
): Promise<State> {
  const pool = createPool(url, {
    applicationName: options.applicationName,
    maximum: options.maximumConnections,
    statementTimeoutMs: options.statementTimeoutMs,
  });
  const db = createDatabase(pool);
  const disconnect = () => Promise.race([db.destroy(), sleep(CLOSE_MS, undefined, { ref: false })]);
  let installationId: string;
  try {
    await prepare(db);
    installationId = (await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()).id;
  } catch (error) {
    await disconnect();
    throw connectFailure(error, placeOf(url));
  }
  let closing: Promise<void> | undefined;
  const close = async () => {
    await disconnect();
    if (embedded && options.home) await rm(join(options.home, CONNECTION_FILE), { force: true });
    await embedded?.stop();
    await lock?.release();
  };
  return {
    kind: embedded || options.databaseUrl === undefined ? 'embedded' : 'external',
    db,
    pool,
    url,
    place: embedded?.folder ?? placeOf(url),
    installationId,
    settings: new StoredSettings(db),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/**
 * Closed to others. When root makes it, the account that runs PostgreSQL may walk through, though not list it; what lies below is
 * closed folder by folder.
 */
async function makeHome(home: string): Promise<void> {
  try {
    await makeFolders(home, process.getuid?.() === 0 ? 0o711 : 0o700);
  } catch (cause) {
    throw new StateError(
      'start-failed',
      `The data directory cannot be made: ${(cause as NodeJS.ErrnoException).code}.`,
      {
        where: 'ISOCENTER_HOME',
        next: 'Give one that this account may write to, with --home or ISOCENTER_HOME.',
        cause,
      },
    );
  }
}

/** Not by `recursive`: where nothing can be made though the parent is there (below /proc), Node tries for ever. */
async function makeFolders(path: string, mode: number, parentIsThere = false): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || parentIsThere) throw error;
    await makeFolders(dirname(path), mode);
    await makeFolders(path, mode, true);
  }
}

async function readConnection(home: string | undefined): Promise<string> {
  const text = home && (await readFile(join(home, CONNECTION_FILE), 'utf8').catch(() => undefined));
  if (text) return (JSON.parse(text) as { readonly url: string }).url;
  throw new StateError('unavailable', 'No server runs on this data directory.', {
    where: 'ISOCENTER_HOME',
    next: 'Start `isocenter serve` first, or give the worker DATABASE_URL.',
  });
}
