/** Blobs read again: as a stream, or as a file on this machine for programs that want one. */
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Executor } from '../state/database.js';
import { type BlobContext, later } from './blob-context.js';
import { BlobError, cancelled, notFound } from './blob-error.js';
import { type BlobKey, type ByteRange, blobKey } from './blob-store.js';
import type { StoredBlob } from './blobs.js';
import { RESULTS_LEAVE } from './disk-space.js';
import { everyWhile } from './every-while.js';
import { fileError } from './file-error.js';
import { MeasuredSource } from './measured-source.js';

interface StoredRow extends StoredBlob {
  readonly key: BlobKey;
}

/** Throws BlobError `not-found`. `lock`: no eraser claims it before the transaction ends. */
async function findStored(db: Executor, id: string, lock = false): Promise<StoredRow> {
  const query = db
    .selectFrom('blob')
    .select(['key', 'bytes', 'sha256'])
    .where('id', '=', id)
    .where('state', '=', 'stored');
  const row = await (lock ? query.forShare() : query).executeTakeFirst();
  if (!row?.sha256) throw notFound();
  return { id, key: blobKey(row.key), bytes: Number(row.bytes), sha256: row.sha256 };
}

export async function openBlob(
  context: BlobContext,
  id: string,
  range?: ByteRange,
): Promise<{ readonly stream: Readable; readonly bytes: number; readonly sha256: string }> {
  const { key, bytes, sha256 } = await findStored(context.db, id);
  try {
    return { stream: await context.store.get(key, range), bytes, sha256 };
  } catch (error) {
    if (!(error instanceof BlobError) || error.kind !== 'not-found') throw error;
    await findStored(context.db, id); // erased meanwhile: not-found is right
    throw damaged();
  }
}

export async function blobToFile(
  context: BlobContext,
  id: string,
  whenDone: () => Promise<void>,
  signal?: AbortSignal,
): Promise<{ readonly path: string; done(): Promise<void> }> {
  const { row, letGo } = await hold(context, id);
  let copy: string | undefined;
  try {
    if (context.store.localPath) {
      const found = await context.store.head(row.key);
      if (found?.bytes !== row.bytes) throw damaged();
    } else {
      copy = context.copies.claim();
      await copyTo(context, copy, row, signal);
    }
  } catch (error) {
    if (copy !== undefined) await context.copies.remove(copy).catch(() => undefined);
    await letGo();
    throw error;
  }
  let over: Promise<void> | undefined;
  const finish = async () => {
    // A copy that cannot be removed now is nobody's from here on: the sweeper tries again.
    if (copy !== undefined) await context.copies.remove(copy).catch(() => undefined);
    await letGo();
    await whenDone();
  };
  const done = () => {
    over ??= finish();
    return over;
  };
  return { path: copy ?? context.store.localPath?.(row.key) ?? '', done };
}

/** A lease in the database, because the eraser may be another process, and the reader may die. */
async function hold(context: BlobContext, id: string) {
  const { db } = context;
  const use = randomUUID();
  const row = await db.transaction().execute(async (transaction) => {
    // The row's lock makes an eraser pass by, or us find that it was here.
    const found = await findStored(transaction, id, true);
    await transaction
      .insertInto('blob_use')
      .values({ id: use, blob_id: id, until: later(context, context.leaseMs) })
      .execute();
    return found;
  });
  const lease = everyWhile(context.leaseMs / 3, async () => {
    await db
      .updateTable('blob_use')
      .set({ until: later(context, context.leaseMs) })
      .where('id', '=', use)
      .execute();
  });
  const letGo = async () => {
    lease.stop();
    // When this fails, the lease ends by itself.
    await db
      .deleteFrom('blob_use')
      .where('id', '=', use)
      .execute()
      .catch(() => undefined);
  };
  return { row, letGo };
}

async function copyTo(context: BlobContext, path: string, row: StoredRow, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) throw cancelled();
  const reservation = await context.copySpace.reserve(row.bytes, RESULTS_LEAVE);
  try {
    const stream = await context.store.get(row.key).catch((error) => {
      throw error instanceof BlobError && error.kind === 'not-found' ? damaged() : error;
    });
    const source = new MeasuredSource(reservation.meter(stream), { maximumBytes: row.bytes, signal });
    const handle = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of source.chunks()) {
        source.hash(chunk);
        await handle.writeFile(chunk);
      }
    } finally {
      stream.destroy();
      await handle.close();
    }
    const { bytes, sha256 } = source.finish();
    if (bytes !== row.bytes || sha256 !== row.sha256) throw damaged();
  } catch (error) {
    throw error instanceof BlobError && error.kind === 'too-large' ? damaged() : fileError(error);
  } finally {
    reservation.release();
  }
}

function damaged(): BlobError {
  return new BlobError('damaged', 'The store has not the bytes that it took for this blob.', {
    next: 'Somebody changed the store from outside: restore the object from a backup of the bucket or folder.',
  });
}
