/** What administrators change: fields that do not change results, the state, what is there at all. Each change is audited. */
import type { z } from 'zod';
import type { Actor } from '../accounts/actor.js';
import type { Executor } from '../state/database.js';
import type { ModelFamily, ModelVersion } from './model.js';
import { readFamily, rowOf, versionsOf } from './read-models.js';
import type { FamilyFilling } from './registry.js';
import type { RegistryContext } from './registry-context.js';
import { RegistryError } from './registry-error.js';
import { familyColumns, versionColumns } from './rows.js';
import { familyChangesSchema, versionChangesSchema } from './schemas.js';

/** Throws RegistryError `wrong-fields` that names the first wrong field. */
export function parseFields<T>(schema: z.ZodType<T>, fields: unknown): T {
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RegistryError('wrong-fields', `${issue.path.join('.') || 'The fields'}: ${issue.message}`, {
    where: issue.path.join('.'),
    next: 'docs/how-to/add-models.md lists the fields and what they mean',
  });
}

export async function changeFamily(
  context: RegistryContext,
  id: string,
  changes: unknown,
  actor: Actor,
): Promise<ModelFamily> {
  const fields = parseFields(familyChangesSchema, changes);
  return context.db.transaction().execute((executor) => changeFamilyIn(context, executor, id, fields, actor));
}

async function changeFamilyIn(
  { audit, clock }: RegistryContext,
  executor: Executor,
  id: string,
  fields: z.infer<typeof familyChangesSchema>,
  actor: Actor,
): Promise<ModelFamily> {
  const before = await readFamily(executor, id);
  if (!before) throw noFamily(id);
  await executor
    .updateTable('model_family')
    .set({ ...familyColumns(fields), updated_at: clock() })
    .where('id', '=', id)
    .execute();
  await audit.record(
    {
      actor,
      action: 'model-family.changed',
      subject: { kind: 'model-family', id },
      details: { name: before.canonicalName, fields: Object.keys(fields) },
    },
    executor,
  );
  return (await readFamily(executor, id)) as ModelFamily;
}

export async function changeVersion(
  context: RegistryContext,
  id: string,
  changes: unknown,
  actor: Actor,
): Promise<ModelVersion> {
  const fields = parseFields(versionChangesSchema, changes);
  return context.db.transaction().execute((executor) => changeVersionIn(context, executor, id, fields, actor));
}

async function changeVersionIn(
  { audit, clock }: RegistryContext,
  executor: Executor,
  id: string,
  { state, structures = [], ...fields }: z.infer<typeof versionChangesSchema>,
  actor: Actor,
): Promise<ModelVersion> {
  const row = await rowOf(executor, id);
  await executor
    .updateTable('model_version')
    .set({ ...versionColumns(fields), ...(state ? { state } : {}), updated_at: clock() })
    .where('id', '=', row.id)
    .execute();
  for (const { position, label, type, fmaCode, inputChannelId, structureId } of structures) {
    const given = {
      ...(type === undefined ? {} : { type }),
      ...(fmaCode === undefined ? {} : { fma_code: fmaCode }),
      ...(inputChannelId === undefined ? {} : { input_channel_id: inputChannelId }),
      ...(structureId === undefined ? {} : { structure_id: structureId }),
    };
    if (Object.keys(given).length === 0) continue;
    let query = executor.updateTable('model_structure').set(given).where('version_uuid', '=', row.id);
    if (position !== undefined) query = query.where('position', '=', position);
    if (label !== undefined) query = query.where('label', '=', label);
    const changed = await query.returning('position').execute();
    if (changed.length !== 1 || (position === undefined && label === undefined))
      throw new RegistryError('wrong-fields', 'A change of a structure must name one structure of the model', {
        where: `structures: position ${position ?? '-'}, label ${label ?? '-'}`,
        next: 'Name it by its label, or by its position (from 0) where several have the same label',
      });
  }
  const action =
    state === undefined || state === row.state ? 'changed' : state === 'retired' ? 'retired' : 'reactivated';
  await audit.record(
    {
      actor,
      action: `model.${action}`,
      subject: { kind: 'model', id: row.id },
      details: {
        address: row.address,
        fields: [...Object.keys(fields), ...(structures.length > 0 ? ['structures'] : [])],
      },
    },
    executor,
  );
  return (await versionsOf(executor, [await rowOf(executor, row.id)]))[0];
}

export async function fillFamily(
  context: RegistryContext,
  id: string,
  { family, versions, protobuf }: FamilyFilling,
  actor: Actor,
): Promise<ModelFamily> {
  const fields = parseFields(familyChangesSchema, family);
  const parsed = versions.map(({ id: version, changes }) => ({
    version,
    changes: parseFields(versionChangesSchema, changes),
  }));
  return context.db.transaction().execute(async (executor) => {
    await changeFamilyIn(context, executor, id, fields, actor);
    for (const { version, changes } of parsed) {
      if ((await rowOf(executor, version)).family_id !== id) throw noFamily(id);
      await changeVersionIn(context, executor, version, changes, actor);
    }
    await keepProtobuf(context, executor, id, protobuf, actor);
    return (await readFamily(executor, id)) as ModelFamily;
  });
}

export async function keepProtobuf(
  { audit, clock }: RegistryContext,
  executor: Executor,
  id: string,
  bytes: Uint8Array | undefined,
  actor: Actor,
): Promise<void> {
  if (!(await readFamily(executor, id))) throw noFamily(id);
  await executor
    .updateTable('model_family')
    .set({ protobuf: bytes ? Buffer.from(bytes) : null, updated_at: clock() })
    .where('id', '=', id)
    .execute();
  const subject = { kind: 'model-family', id };
  await audit.record({ actor, action: 'model-family.protobuf-stored', subject }, executor);
}

export async function removeVersion(context: RegistryContext, id: string, actor: Actor): Promise<void> {
  const { db, blobs, audit } = context;
  const released = await db.transaction().execute(async (executor) => {
    const row = await rowOf(executor, id);
    if (row.origin === 'shipped')
      throw new RegistryError('shipped', `${row.address} is part of the program and cannot be removed`, {
        where: row.address,
        next: 'Retire it: it then takes no new jobs and no longer answers to its plain name',
      });
    // Families are locked before versions wherever both are, so that adding and removing cannot block each other.
    await executor.selectFrom('model_family').select('id').where('id', '=', row.family_id).forUpdate().execute();
    await executor.selectFrom('model_version').select('id').where('id', '=', row.id).forUpdate().execute();
    if (await context.isNeeded(row.id, executor))
      throw new RegistryError('in-use', `Jobs still need ${row.address}`, {
        where: row.address,
        next: 'Wait until they end or cancel them, and retire the model meanwhile',
      });
    await executor.deleteFrom('model_version').where('id', '=', row.id).execute();
    const left = await executor
      .selectFrom('model_version')
      .select('id')
      .where('family_id', '=', row.family_id)
      .limit(1)
      .execute();
    if (left.length === 0) await executor.deleteFrom('model_family').where('id', '=', row.family_id).execute();
    const ids = [row.blob_id, row.module_blob_id].filter((blob) => blob !== null);
    for (const blob of ids) await blobs.release(blob, 'the model was removed', executor);
    await audit.record(
      {
        actor,
        action: 'model.removed',
        subject: { kind: 'model', id: row.id },
        details: { address: row.address, sha256: row.sha256 },
      },
      executor,
    );
    return ids;
  });
  await blobs.eraseReleased(released);
}

export function noFamily(id: string): RegistryError {
  return new RegistryError('not-found', 'There is no such model family', {
    where: id.slice(0, 64),
    next: 'List the families',
  });
}
