/** The blobs service put together from its parts: writing, owners, reading, erasing, leavings. */
import { statfs } from 'node:fs/promises';
import type { AuditLog } from '../audit/audit-log.js';
import type { Database } from '../state/database.js';
import { type BlobContext, type BlobTimes, later, now, USUAL_TIMES } from './blob-context.js';
import type { BlobStore } from './blob-store.js';
import type { Blobs } from './blobs.js';
import { DiskSpace } from './disk-space.js';
import { eraseDue, eraseNow } from './erasing.js';
import { fileError } from './file-error.js';
import { Leavings } from './leavings.js';
import { keepBlob, releaseBlob } from './owners.js';
import { blobToFile, openBlob } from './reading.js';
import { TemporaryFolder } from './temporary-folder.js';
import { writeBlob } from './writing.js';

/** Of one sweep: at some milliseconds each, well inside the minute between two. */
const SWEEP_LIMIT = 500;

export interface BlobsOptions extends Partial<BlobTimes> {
  readonly db: Database;
  readonly store: BlobStore;
  readonly audit: AuditLog;
  /** Stay free on the disk of the file store and of the copies, in bytes. */
  readonly reserveBytes: number;
  /** For `toFile` of stores that are elsewhere; ours alone, on this machine. */
  readonly copyFolder: string;
  /** Tests only. */
  readonly clock?: () => Date;
}

/** The database must be migrated. Starts nothing: call `sweep` at start and every minute. */
export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  const { db, store, reserveBytes, copyFolder } = options;
  const { id } = await db.selectFrom('blob_installation').select('id').executeTakeFirstOrThrow();
  const copies = await TemporaryFolder.open(copyFolder).catch((error) => {
    throw fileError(error);
  });
  const context: BlobContext = Object.freeze({
    ...USUAL_TIMES,
    ...options,
    clock: options.clock,
    installation: id,
    space: store.freeBytes ? new DiskSpace(() => store.freeBytes?.() ?? Promise.resolve(0), reserveBytes) : undefined,
    copies,
    copySpace: new DiskSpace(async () => {
      const { bavail, bsize } = await statfs(copies.path);
      return bavail * bsize;
    }, reserveBytes),
  });
  const leavings = new Leavings(context);

  const eraseReleased = async (ids: readonly string[]) => {
    // Best effort by contract: the rows are due, the sweeper finds them.
    await eraseNow(context, ids).catch(() => undefined);
  };

  return Object.freeze<Blobs>({
    write: (source, about) => writeBlob(context, source, about),
    keep: (blob, owner, executor) => keepBlob(context, blob, owner, executor),
    release: (blob, reason, executor, owner) => releaseBlob(context, blob, reason, executor, owner),
    eraseReleased,
    open: (blob, range) => openBlob(context, blob, range),
    toFile: (blob, signal) => blobToFile(context, blob, () => eraseReleased([blob]), signal),
    sweep: async () => {
      let failed = 0;
      const attempt = (work: () => Promise<unknown>) =>
        work().catch(() => {
          failed++;
        });
      await attempt(() => leavings.look());
      await attempt(async () => store.removeUnfinished?.([]));
      await attempt(() => copies.removeDead());
      await attempt(() => forget(context));
      const sum = await eraseDue(context, SWEEP_LIMIT);
      return Object.freeze({ ...sum, failed: sum.failed + failed });
    },
  });
}

/** Tombstones whose time has come, and uses of readers that died. */
async function forget(context: BlobContext): Promise<void> {
  const { db } = context;
  await db.deleteFrom('blob_use').where('until', '<', later(context, -context.leaseMs)).execute();
  await db
    .deleteFrom('blob')
    .where('id', 'in', (query) =>
      query
        .selectFrom('blob')
        .select('id')
        .where('state', '=', 'erased')
        .where('due_at', '<=', now(context))
        .limit(SWEEP_LIMIT)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
}
