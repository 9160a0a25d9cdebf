/**
 * Adding: staged and checked on disk, stored as one blob, then everything else in one transaction. A blob that no row
 * came to refer to is given back at once, and by its own deadline if this process dies.
 */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../accounts/actor.js';
import { canonicalZip, hashOfZip, MAXIMUM_ZIP_BYTES, type ZipPart } from './canonical-zip.js';
import { type BundleDescription, describeBundle } from './fields-of-bundle.js';
import { existingRow, insertVersion } from './insert-version.js';
import type { ModelVersion } from './model.js';
import { withFormFields } from './onnx-form.js';
import { versionsOf } from './read-models.js';
import type { AddModel } from './registry.js';
import type { RegistryContext } from './registry-context.js';
import { type StagedBundle, stageBundle } from './stage-bundle.js';

/** Longer than the slowest store needs for the largest bundle. */
const ABANDON_MS = 30 * 60_000;
const UNIQUE_VIOLATION = '23505';

export async function addVersion(
  context: RegistryContext,
  path: string,
  options: AddModel,
  actor: Actor,
): Promise<ModelVersion> {
  const staged = await stageBundle(path, context.cacheFolder, { ...context.onnx, ...options });
  try {
    return await store(context, staged, options, actor);
  } finally {
    await staged.close();
  }
}

export function partsOf({ bundle, files }: Pick<StagedBundle, 'bundle' | 'files'>): ZipPart[] {
  return files.map(({ path, bytes, crc32 }) => ({
    name: `${bundle.name}/${path}`,
    from: `${bundle.folder}/${path}`,
    bytes,
    crc32,
  }));
}

async function store(
  context: RegistryContext,
  staged: StagedBundle,
  options: AddModel,
  actor: Actor,
): Promise<ModelVersion> {
  const { db, blobs, clock } = context;
  const description = describe(staged, clock());
  const address = `${description.name}:${description.version}`;
  const parts = partsOf(staged);
  const { sha256, bytes } = await hashOfZip(parts);
  const known = await existingRow(db, sha256, address);
  if (known) return (await versionsOf(db, [known]))[0];

  const about = {
    purpose: 'weights' as const,
    actor,
    abandonAfterMs: ABANDON_MS,
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const written: string[] = [];
  try {
    const limits = { expectedBytes: bytes, maximumBytes: MAXIMUM_ZIP_BYTES };
    const blob = await blobs.write(canonicalZip(parts), { ...about, ...limits });
    written.push(blob.id);
    const module = staged.restored?.module;
    const moduleBlob = module && (await blobs.write(once(module), about));
    if (moduleBlob) written.push(moduleBlob.id);
    const id = randomUUID();
    const row = await db.transaction().execute(async (executor) => {
      await insertVersion(
        executor,
        context.audit,
        {
          id,
          description,
          state: staged.restored?.fields.state ?? 'active',
          sha256,
          bytes,
          weightsSha256: staged.bundle.weightsHash,
          files: staged.files,
          from: { blobId: blob.id },
        },
        actor,
        clock(),
      );
      await blobs.keep(blob.id, { kind: 'model', id }, executor);
      if (moduleBlob && staged.restored?.fields.module) {
        await blobs.keep(moduleBlob.id, { kind: 'model', id }, executor);
        await executor
          .updateTable('model_version')
          .set({
            module_blob_id: moduleBlob.id,
            module_name: staged.restored.fields.module.name,
            module_sha256: moduleBlob.sha256,
            module_bytes: moduleBlob.bytes,
          })
          .where('id', '=', id)
          .execute();
      }
      return executor.selectFrom('model_version').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    });
    return (await versionsOf(db, [row]))[0];
  } catch (error) {
    await giveBack(context, written);
    // Somebody added the same, or took the address, since we looked.
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    const winner = await existingRow(db, sha256, address);
    if (!winner) throw error;
    return (await versionsOf(db, [winner]))[0];
  }
}

/** The bundle's own words, then those of the form or of the server it was exported from. */
function describe({ bundle, restored, form }: StagedBundle, now: Date): BundleDescription {
  const own = describeBundle(bundle, now);
  if (form) return withFormFields(own, form);
  if (!restored) return own;
  const { family, version, structures } = restored.fields;
  return {
    ...own,
    family: { ...family, canonicalName: own.name },
    fields: version,
    structures: own.structures.map((structure, at) => ({ ...structure, ...structures[at] })),
  };
}

async function giveBack({ db, blobs }: RegistryContext, ids: readonly string[]): Promise<void> {
  // Best effort: the deadline of abandoned blobs does what this cannot.
  await db
    .transaction()
    .execute(async (executor) => {
      for (const id of ids) await blobs.release(id, 'the model was not added', executor);
    })
    .then(() => blobs.eraseReleased(ids))
    .catch(() => undefined);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
