/** Row, then bytes, then the row again: a writer that dies anywhere leaves a row whose lease ends. */
import { randomUUID } from 'node:crypto';
import { type BlobContext, keyOf, later } from './blob-context.js';
import { BlobError } from './blob-error.js';
import type { BlobKey } from './blob-store.js';
import type { StoredBlob, WriteBlob } from './blobs.js';
import { RESULTS_LEAVE, type Reservation } from './disk-space.js';
import { everyWhile } from './every-while.js';

/** An upload whose request died between its bytes and its job. */
const ABANDONED_AFTER_MS = 3600_000;

export async function writeBlob(
  context: BlobContext,
  source: AsyncIterable<Uint8Array>,
  about: WriteBlob,
): Promise<StoredBlob> {
  const reservation = await context.space?.reserve(about.expectedBytes, about.purpose === 'result' ? RESULTS_LEAVE : 1);
  try {
    return await writeReserved(context, source, about, reservation);
  } finally {
    reservation?.release();
  }
}

async function writeReserved(
  context: BlobContext,
  source: AsyncIterable<Uint8Array>,
  about: WriteBlob,
  reservation: Reservation | undefined,
): Promise<StoredBlob> {
  const { db, store } = context;
  const id = randomUUID();
  const key = keyOf(context, id);
  await db
    .insertInto('blob')
    .values({
      id,
      key,
      purpose: about.purpose,
      state: 'writing',
      created_at: later(context, 0),
      created_by_kind: about.actor.kind,
      created_by: about.actor.id,
      due_at: later(context, context.leaseMs),
    })
    .execute();
  const lost = new AbortController();
  const lease = everyWhile(context.leaseMs / 3, async () => {
    if (!(await refresh(context, id))) lost.abort();
  });
  try {
    const stored = await store.put(key, reservation ? reservation.meter(source) : source, {
      maximumBytes: about.maximumBytes,
      signal: about.signal ? AbortSignal.any([about.signal, lost.signal]) : lost.signal,
    });
    const updated = await db
      .updateTable('blob')
      .set({
        state: 'stored',
        bytes: stored.bytes,
        sha256: stored.sha256,
        due_at: later(context, about.abandonAfterMs ?? ABANDONED_AFTER_MS),
      })
      .where('id', '=', id)
      .where('state', '=', 'writing')
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) throw lostLease();
    return Object.freeze({ id, bytes: stored.bytes, sha256: stored.sha256 });
  } catch (error) {
    await discard(context, id, key);
    throw lost.signal.aborted ? lostLease() : error;
  } finally {
    lease.stop();
  }
}

/** False: somebody took this writer for dead. */
async function refresh(context: BlobContext, id: string): Promise<boolean> {
  const updated = await context.db
    .updateTable('blob')
    .set({ due_at: later(context, context.leaseMs) })
    .where('id', '=', id)
    .where('state', '=', 'writing')
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

/**
 * A put that failed left nothing, unless its answer was lost on the way; so the store is asked again, and only then is the
 * row let go. Whatever fails here, the row's lease ends and the sweeper does it. Not audited: nobody was told of it.
 */
async function discard({ db, store }: BlobContext, id: string, key: BlobKey): Promise<void> {
  try {
    await store.delete(key);
    await store.removeUnfinished?.([key]);
    await db.deleteFrom('blob').where('id', '=', id).where('state', 'in', ['writing', 'erasing']).execute();
  } catch {
    // See above.
  }
}

function lostLease(): BlobError {
  return new BlobError('store-unavailable', 'The transfer stood still for so long that it was given up.', {
    next: 'Send it again.',
  });
}
