/**
 * A process whose n-th call to the database or the store goes wrong: before it was done, or after (the answer is lost);
 * once, or for good (the process is dead: nothing works any more, and its connections are closed).
 */
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type { Pool } from 'pg';
import type { Database } from '../state/database.js';
import type { BlobStore } from './blob-store.js';

export interface Fault {
  readonly at: number;
  readonly when: 'before' | 'after';
  readonly lasts: 'once' | 'for good';
}

export class FaultError extends Error {}

export class FaultyCalls {
  readonly fault: Fault;
  #calls = 0;

  constructor(fault: Fault) {
    this.fault = fault;
  }

  get happened(): boolean {
    return this.#calls >= this.fault.at;
  }

  async call<T>(what: string, work: () => Promise<T>): Promise<T> {
    const number = ++this.#calls;
    const { at, when, lasts } = this.fault;
    if (number > at && lasts === 'for good') throw new FaultError(`dead since call ${at}`);
    if (number !== at) return work();
    if (when === 'after') await work();
    throw new FaultError(`call ${number}, ${when} ${what}`);
  }

  database(pool: Pool): Database {
    const faulty: PostgresPool = {
      connect: async () => {
        const client = await pool.connect();
        let lost = false;
        const query = async (sql: string, parameters: readonly unknown[]) => {
          if (lost) throw new FaultError('connection lost');
          try {
            return await this.call(sql, () => client.query(sql, parameters as unknown[]));
          } catch (error) {
            lost ||= error instanceof FaultError;
            throw error;
          }
        };
        return {
          query: query as unknown as PostgresPoolClient['query'],
          release: () => client.release(lost),
        };
      },
      end: async () => undefined,
    };
    return new Kysely({ dialect: new PostgresDialect({ pool: faulty }) });
  }

  store(store: BlobStore): BlobStore {
    return {
      kind: store.kind,
      put: (key, ...rest) => this.call('put', () => store.put(key, ...rest)),
      get: (key, range) => this.call('get', () => store.get(key, range)),
      head: (key) => this.call('head', () => store.head(key)),
      delete: (key) => this.call('delete', () => store.delete(key)),
      list: (prefix) => store.list(prefix),
      removeUnfinished: (keys) => this.call('removeUnfinished', async () => store.removeUnfinished?.(keys) ?? 0),
      ...(store.localPath ? { localPath: (key) => store.localPath?.(key) ?? '' } : {}),
    };
  }
}
