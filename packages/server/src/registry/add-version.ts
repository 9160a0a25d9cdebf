/**
 * Adding: staged and checked on disk, stored as one blob, then everything else in one transaction. A blob that no row
 * came to refer to is given back at once, and by its own deadline if this process dies.
 */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../accounts/actor.js';
import type { StoredBlob } from '../blobs/blobs.js';
import { canonicalZip, hashOfZip, MAXIMUM_ZIP_BYTES, type ZipPart } from './canonical-zip.js';
import { type BundleDescription, describeBundle } from './fields-of-bundle.js';
import { existingRow, insertVersion, type NewVersion } from './insert-version.js';
import type { ModelVersion } from './model.js';
import { withFormFields } from './onnx-form.js';
import { moduleColumns } from './python-module.js';
import { readVersion, versionsOf } from './read-models.js';
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
  { signal }: AddModel,
  actor: Actor,
): Promise<ModelVersion> {
  const { db, blobs, clock } = context;
  const description = describe(staged, clock());
  const address = `${description.name}:${description.version}`;
  const parts = partsOf(staged);
  const zip = await hashOfZip(parts);
  const known = await existingRow(db, zip.sha256, address);
  if (known) return (await versionsOf(db, [known]))[0];

  const about = { purpose: 'weights' as const, actor, abandonAfterMs: ABANDON_MS, ...(signal ? { signal } : {}) };
  const written: StoredBlob[] = [];
  try {
    const limits = { expectedBytes: zip.bytes, maximumBytes: MAXIMUM_ZIP_BYTES };
    written.push(await blobs.write(canonicalZip(parts), { ...about, ...limits }));
    const module = staged.restored?.module;
    if (module) written.push(await blobs.write(once(module), about));
    return await insert(context, staged, { ...zip, description }, written, actor);
  } catch (error) {
    await giveBack(
      context,
      written.map(({ id }) => id),
    );
    // Somebody added the same, or took the address, since we looked.
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    const winner = await existingRow(db, zip.sha256, address);
    if (!winner) throw error;
    return (await versionsOf(db, [winner]))[0];
  }
}

/** Rows, kept blobs and audit entry, all or none. */
function insert(
  { db, blobs, audit, clock }: RegistryContext,
  { bundle, files, restored }: StagedBundle,
  added: Pick<NewVersion, 'description' | 'sha256' | 'bytes'>,
  [zip, module]: readonly StoredBlob[],
  actor: Actor,
): Promise<ModelVersion> {
  const id = randomUUID();
  const version: NewVersion = {
    ...added,
    id,
    state: restored?.fields.state ?? 'active',
    weightsSha256: bundle.weightsHash,
    files,
    from: { blobId: zip.id },
  };
  return db.transaction().execute(async (executor) => {
    await insertVersion(executor, audit, version, actor, clock());
    await blobs.keep(zip.id, { kind: 'model', id }, executor);
    if (module && restored?.fields.module) {
      await blobs.keep(module.id, { kind: 'model', id }, executor);
      await executor
        .updateTable('model_version')
        .set(moduleColumns(module, restored.fields.module.name))
        .where('id', '=', id)
        .execute();
    }
    return (await readVersion(executor, id)) as ModelVersion;
  });
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
      // In the name of an owner that never was: a version whose commit was done but never answered keeps its bytes.
      for (const id of ids) await blobs.release(id, 'the model was not added', executor, { kind: 'model', id });
    })
    .then(() => blobs.eraseReleased(ids))
    .catch(() => undefined);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
