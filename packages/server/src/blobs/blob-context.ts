/** What the parts of the blobs service share: where things are, how long things last, and what time it is. */
import { type RawBuilder, sql } from 'kysely';
import type { AuditLog } from '../audit/audit-log.js';
import type { Database, Executor } from '../state/database.js';
import { type BlobKey, type BlobStore, blobKey } from './blob-store.js';
import type { DiskSpace } from './disk-space.js';
import type { TemporaryFolder } from './temporary-folder.js';

export interface BlobTimes {
  /** A writer or reader that is silent for longer counts as dead; it says that it lives three times as often. */
  readonly leaseMs: number;
  /** How long the row of an erased blob still tells what it was. */
  readonly tombstoneMs: number;
  /** An object without a row is erased when it is older; a row is always older than its object. */
  readonly leavingsAfterMs: number;
  /** Time between two listings of the whole store. */
  readonly leavingsEveryMs: number;
}

export const USUAL_TIMES: BlobTimes = Object.freeze({
  leaseMs: 60_000,
  tombstoneMs: 7 * 24 * 3600_000,
  leavingsAfterMs: 3600_000,
  leavingsEveryMs: 3600_000,
});

export interface BlobContext extends BlobTimes {
  readonly db: Database;
  readonly store: BlobStore;
  readonly audit: AuditLog;
  /** Begins every key, so that installations may share a bucket. */
  readonly installation: string;
  /** Tests only; else the database tells the time, so that servers whose clocks differ agree. */
  readonly clock: (() => Date) | undefined;
  /** Of the file store's disk. */
  readonly space: DiskSpace | undefined;
  readonly copies: TemporaryFolder;
  readonly copySpace: DiskSpace;
}

export function keyOf(context: BlobContext, id: string): BlobKey {
  // 256 folders, so that none of a file store grows long.
  return blobKey(`${context.installation}/${id.slice(0, 2)}/${id}`);
}

/** statement_timestamp, not clock_timestamp: that one is volatile and would keep PostgreSQL from its index. */
export function now({ clock }: BlobContext): RawBuilder<Date> {
  return clock ? sql<Date>`${clock().toISOString()}::timestamptz` : sql<Date>`statement_timestamp()`;
}

export function later(context: BlobContext, ms: number): RawBuilder<Date> {
  return sql<Date>`(${now(context)} + ${ms}::float8 * interval '1 millisecond')`;
}

/** In the caller's transaction; or one of its own, where a caller gives the plain database. */
export function inTransaction<T>(executor: Executor, work: (transaction: Executor) => Promise<T>): Promise<T> {
  return executor.isTransaction ? work(executor) : executor.transaction().execute(work);
}
