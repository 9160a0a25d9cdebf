/** Who keeps a blob. Each change locks the blob's row first, so that it and an eraser never pass each other. */
import type { Executor } from '../state/database.js';
import { type BlobContext, inTransaction, now } from './blob-context.js';
import { notFound } from './blob-error.js';
import type { BlobOwner } from './blobs.js';

/** Throws BlobError `not-found` when it is being erased or was never whole. */
export function keepBlob(context: BlobContext, id: string, owner: BlobOwner, executor: Executor): Promise<void> {
  return inTransaction(executor, async (transaction) => {
    if (!(await lockStored(transaction, id))) throw notFound();
    await transaction
      .insertInto('blob_owner')
      .values({ blob_id: id, kind: owner.kind, owner_id: owner.id, kept_at: now(context) })
      .onConflict((conflict) => conflict.columns(['blob_id', 'kind', 'owner_id']).doUpdateSet({ released_at: null }))
      .execute();
    await transaction
      .updateTable('blob')
      .set({ due_at: null, released_at: null, release_reason: null })
      .where('id', '=', id)
      .execute();
  });
}

export function releaseBlob(
  context: BlobContext,
  id: string,
  reason: string,
  executor: Executor,
  owner: BlobOwner | undefined,
): Promise<void> {
  return inTransaction(executor, async (transaction) => {
    if (!(await lockStored(transaction, id))) return;
    const owners = await transaction
      .selectFrom('blob_owner')
      .select(['kind', 'owner_id'])
      .where('blob_id', '=', id)
      .where('released_at', 'is', null)
      .orderBy('kept_at')
      .orderBy('owner_id')
      .execute();
    const leaving = owner
      ? owners.find((found) => found.kind === owner.kind && found.owner_id === owner.id)
      : owners.at(0);
    if (leaving) {
      await transaction
        .updateTable('blob_owner')
        .set({ released_at: now(context) })
        .where('blob_id', '=', id)
        .where('kind', '=', leaving.kind)
        .where('owner_id', '=', leaving.owner_id)
        .execute();
    }
    if (owners.length > (leaving ? 1 : 0)) return;
    await transaction
      .updateTable('blob')
      .set({ due_at: now(context), released_at: now(context), release_reason: reason })
      .where('id', '=', id)
      .execute();
  });
}

async function lockStored(transaction: Executor, id: string): Promise<boolean> {
  const row = await transaction.selectFrom('blob').select('state').where('id', '=', id).forUpdate().executeTakeFirst();
  return row?.state === 'stored';
}
