/** A Python file beside a version, as SegInt's users upload it: stored and hashed, served back, never run or imported. */
import type { Readable } from 'node:stream';
import type { Actor } from '../accounts/actor.js';
import type { StoredBlob } from '../blobs/blobs.js';
import type { ModelVersion } from './model.js';
import { rowOf, versionsOf } from './read-models.js';
import type { RegistryContext } from './registry-context.js';
import { RegistryError } from './registry-error.js';

const MODULE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,59}\.py$/;
/** A module of source text; weights have their own place. */
const MAXIMUM_MODULE_BYTES = 1024 * 1024;

export async function storeModule(
  { db, blobs, audit, clock }: RegistryContext,
  id: string,
  name: string,
  source: AsyncIterable<Uint8Array>,
  actor: Actor,
): Promise<ModelVersion> {
  if (!MODULE_NAME.test(name))
    throw new RegistryError('wrong-fields', 'This is no name of a Python module', {
      where: 'name',
      next: 'Use letters, digits and underscores, ending in .py',
    });
  const { id: versionId } = await rowOf(db, id);
  const blob = await blobs.write(source, { purpose: 'weights', actor, maximumBytes: MAXIMUM_MODULE_BYTES });
  const { version, replaced } = await db.transaction().execute(async (executor) => {
    await executor.selectFrom('model_version').select('id').where('id', '=', versionId).forUpdate().execute();
    const row = await rowOf(executor, versionId);
    await blobs.keep(blob.id, { kind: 'model', id: versionId }, executor);
    if (row.module_blob_id !== null)
      await blobs.release(row.module_blob_id, 'the Python module was replaced', executor);
    await executor
      .updateTable('model_version')
      .set({ ...moduleColumns(blob, name), updated_at: clock() })
      .where('id', '=', versionId)
      .execute();
    await audit.record(
      {
        actor,
        action: 'model.module-stored',
        subject: { kind: 'model', id: versionId },
        details: { address: row.address, sha256: blob.sha256, bytes: blob.bytes },
      },
      executor,
    );
    const [changed] = await versionsOf(executor, [await rowOf(executor, versionId)]);
    return { version: changed, replaced: row.module_blob_id };
  });
  if (replaced !== null) await blobs.eraseReleased([replaced]);
  return version;
}

/** Throws RegistryError `not-found`. */
export async function openModule(
  { db, blobs }: RegistryContext,
  id: string,
): Promise<{ readonly name: string; readonly stream: Readable; readonly bytes: number }> {
  const row = await rowOf(db, id);
  if (row.module_blob_id === null || row.module_name === null)
    throw new RegistryError('not-found', `${row.address} has no Python module`, { where: row.address });
  const { stream, bytes } = await blobs.open(row.module_blob_id);
  return { name: row.module_name, stream, bytes };
}

export function moduleColumns({ id, sha256, bytes }: StoredBlob, name: string) {
  return { module_blob_id: id, module_name: name, module_sha256: sha256, module_bytes: bytes };
}
