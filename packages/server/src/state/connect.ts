/** The pool of connections and Kysely over it; the same for the embedded and an external PostgreSQL. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Tables } from './database.js';
import { isUnavailable, withUnavailable } from './postgres-error.js';
import { StateError } from './state-error.js';

export interface ConnectOptions {
  /** Shown by PostgreSQL's own views, e.g. 'isocenter server'. */
  readonly applicationName?: string;
  /** Most connections at once; default 20. */
  readonly maximum?: number;
  /** A query over this is ended; default 30 s. */
  readonly statementTimeoutMs?: number;
  readonly onConnectionLost?: (error: Error) => void;
}

const MAXIMUM_CONNECTIONS = 20;
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_TRANSACTION_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_CONNECTION_MS = 60_000;
/** How long a query waits for a connection while the database is away. */
const PATIENCE_MS = 2_000;
const RETRY_MS = 50;

/** `bigint` columns come as numbers: ours count bytes and rows. One that a number cannot hold is an error, never rounded. */
function parseBigint(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`The database sent an integer that JavaScript cannot hold: ${text}`);
}

const parsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === pg.types.builtins.INT8
      ? parseBigint
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export function createPool(url: string, options: ConnectOptions = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    types: parsers,
    application_name: options.applicationName ?? 'isocenter',
    max: options.maximum ?? MAXIMUM_CONNECTIONS,
    statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    keepAlive: true,
  });
  // Without a listener, a connection that dies while idle would end the whole process.
  pool.on('error', (error) => options.onConnectionLost?.(error));
  // One that dies while lent, between two queries of a transaction, also emits; its next query fails then.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Kysely whose queries throw StateError `unavailable` while the database is away. */
export function createDatabase(pool: pg.Pool): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new NamingPool(pool) }) });
}

class NamingPool implements PostgresPool {
  readonly #pool: pg.Pool;
  #ended = false;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async connect(): Promise<PostgresPoolClient> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return namingClient(await this.#pool.connect());
      } catch (error) {
        // Nothing has been asked yet: to try again is safe, and PostgreSQL is back 0.2 s after a crash.
        if (!isUnavailable(error) || this.#ended || performance.now() > deadline) throw withUnavailable(error);
      }
      await sleep(RETRY_MS);
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#pool.end();
  }
}

/** Kysely knows its connections by identity, so each pg client has one face for life. */
const faces = new WeakMap<pg.PoolClient, PostgresPoolClient>();

function namingClient(client: pg.PoolClient): PostgresPoolClient {
  const known = faces.get(client);
  if (known) return known;
  let lost = false;
  const query = ((first: never, parameters: never) => {
    if (lost) return Promise.reject(unavailable());
    const answer = client.query(first, parameters) as unknown;
    if (!(answer instanceof Promise)) return answer; // A cursor.
    return answer.catch((error) => {
      const named = withUnavailable(error);
      if (named !== error) lost = true;
      throw named;
    });
  }) as PostgresPoolClient['query'];
  // A connection that broke is not lent again.
  const face: PostgresPoolClient = { query, release: () => client.release(lost) };
  faces.set(client, face);
  return face;
}

function unavailable(): StateError {
  return new StateError('unavailable', 'The connection to the database was lost.', {
    next: 'Try again in a few seconds.',
  });
}
