/**
 * Erasing, in an order that survives any death: (1) the row says `erasing`, from when nobody can keep the blob; (2) the
 * store forgets the bytes; (3) the row says `erased` together with the audit entry. Whoever finds (1) without (3)
 * later does (2) again, which does no harm.
 */
import { SYSTEM } from '../accounts/actor.js';
import { type BlobContext, later, now } from './blob-context.js';
import { blobKey } from './blob-store.js';
import type { BlobPurpose } from './blobs.js';

/** Of one claim: so many deletions run side by side, and a store that is down is asked no more than this. */
const BATCH = 16;
/** In use by a reader: looked at again after this, if the reader does not say so itself. */
const BUSY_MS = 30_000;
/** After a failure: 30 s, 1 min, 2 min … and never more than this, since images wait. */
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 10 * 60_000;

const IMAGES: readonly BlobPurpose[] = ['upload', 'study'];
/** Named in the entry, which takes 4 KB at most; a study that a hundred jobs used has that many owners. */
const MOST_OWNERS = 20;

interface ErasingRow {
  readonly id: string;
  readonly key: string;
  readonly purpose: BlobPurpose;
  readonly bytes: number;
  readonly sha256: string | null;
  readonly release_reason: string | null;
  readonly failures: number;
}

export interface ErasedSum {
  erased: number;
  bytes: number;
  failed: number;
}

/** What is due, oldest first, `limit` at most; stops early when the store fails. */
export async function eraseDue(context: BlobContext, limit: number): Promise<ErasedSum> {
  const sum: ErasedSum = { erased: 0, bytes: 0, failed: 0 };
  for (let seen = 0; seen < limit && sum.failed === 0; ) {
    const rows = await claim(context, Math.min(BATCH, limit - seen));
    if (rows.length === 0) break;
    seen += rows.length;
    await eraseAll(context, rows, sum);
  }
  return sum;
}

/** Of these, the ones that were released and that nobody reads. */
export async function eraseNow(context: BlobContext, ids: readonly string[]): Promise<ErasedSum> {
  const sum: ErasedSum = { erased: 0, bytes: 0, failed: 0 };
  for (let at = 0; at < ids.length && sum.failed === 0; at += BATCH) {
    await eraseAll(context, await claim(context, BATCH, ids.slice(at, at + BATCH)), sum);
  }
  return sum;
}

/** Two statements: the second sees the uses of readers that held a row's lock while the first passed it by or waited. */
function claim(context: BlobContext, limit: number, ids?: readonly string[]): Promise<ErasingRow[]> {
  return context.db.transaction().execute(async (transaction) => {
    const due = await transaction
      .selectFrom('blob')
      .select('id')
      .where('state', '<>', 'erased')
      .where((where) =>
        ids
          ? where.and([where('id', 'in', ids), where('state', '=', 'stored'), where('released_at', 'is not', null)])
          : where('due_at', '<=', now(context)),
      )
      .orderBy('due_at')
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    if (due.length === 0) return [];
    const uses = await transaction
      .selectFrom('blob_use')
      .select('blob_id')
      .where(
        'blob_id',
        'in',
        due.map(({ id }) => id),
      )
      .where('until', '>', now(context))
      .execute();
    const busy = [...new Set(uses.map((use) => use.blob_id))];
    const free = due.map(({ id }) => id).filter((id) => !busy.includes(id));
    if (busy.length > 0) {
      await transaction
        .updateTable('blob')
        .set({ due_at: later(context, BUSY_MS) })
        .where('id', 'in', busy)
        .execute();
    }
    if (free.length === 0) return [];
    const rows = await transaction
      .updateTable('blob')
      .set({ state: 'erasing', due_at: later(context, context.leaseMs) })
      .where('id', 'in', free)
      .returning(['id', 'key', 'purpose', 'bytes', 'sha256', 'release_reason', 'failures'])
      .execute();
    return rows.map((row) => ({ ...row, bytes: Number(row.bytes ?? 0) }));
  });
}

async function eraseAll(context: BlobContext, rows: readonly ErasingRow[], sum: ErasedSum): Promise<void> {
  const results = await Promise.allSettled(rows.map((row) => erase(context, row)));
  for (const [index, result] of results.entries()) {
    if (result.status === 'rejected') sum.failed++;
    else if (result.value) {
      sum.erased++;
      sum.bytes += rows[index]?.bytes ?? 0;
    }
  }
}

/** False: another eraser was first. */
async function erase(context: BlobContext, row: ErasingRow): Promise<boolean> {
  const { db, store, audit } = context;
  const key = blobKey(row.key);
  try {
    await store.delete(key);
    if (row.sha256 === null) await store.removeUnfinished?.([key]);
  } catch (error) {
    const wait = Math.min(FIRST_RETRY_MS * 2 ** Math.min(row.failures, 10), LONGEST_RETRY_MS);
    await db
      .updateTable('blob')
      .set((where) => ({ failures: where('failures', '+', 1), due_at: later(context, wait) }))
      .where('id', '=', row.id)
      .where('state', '=', 'erasing')
      .execute();
    throw error;
  }
  return db.transaction().execute(async (transaction) => {
    const updated = await transaction
      .updateTable('blob')
      .set({ state: 'erased', erased_at: now(context), due_at: later(context, context.tombstoneMs) })
      .where('id', '=', row.id)
      .where('state', '=', 'erasing')
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) return false;
    const owners = await transaction
      .selectFrom('blob_owner')
      .select(['kind', 'owner_id'])
      .where('blob_id', '=', row.id)
      .orderBy('kept_at')
      .execute();
    await audit.record(
      {
        actor: SYSTEM,
        action: IMAGES.includes(row.purpose) ? 'images.erased' : 'blob.erased',
        subject: { kind: 'blob', id: row.id },
        reason: row.release_reason ?? (row.sha256 === null ? 'its writer died' : 'nobody kept it'),
        details: {
          purpose: row.purpose,
          ...(row.sha256 === null ? {} : { bytes: row.bytes, sha256: row.sha256 }),
          owners: owners.slice(0, MOST_OWNERS).map((owner) => `${owner.kind} ${owner.owner_id}`),
          ...(owners.length > MOST_OWNERS ? { ownersNotNamed: owners.length - MOST_OWNERS } : {}),
        },
      },
      transaction,
    );
    return true;
  });
}
