/** Rows of a version that was not there yet: family (made with its first version), version, structures, audit entry. */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../accounts/actor.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { Executor } from '../state/database.js';
import type { BundleDescription } from './fields-of-bundle.js';
import type { BundleFile } from './model.js';
import { RegistryError } from './registry-error.js';
import { familyColumns, structureColumns, type VersionRow, versionColumns } from './rows.js';
import type { FamilyFields } from './schemas.js';

export interface NewVersion {
  readonly id: string;
  readonly description: BundleDescription;
  readonly state: 'active' | 'retired';
  readonly sha256: string;
  readonly bytes: number;
  readonly weightsSha256: string;
  readonly files: readonly BundleFile[];
  /** Where the bytes are: a blob, or a folder of the program's own models. */
  readonly from: { readonly blobId: string } | { readonly shippedFolder: string };
}

type Insert<Row> = { [K in keyof Row]-?: Row[K] };

/** In the caller's transaction; the address must be free. */
export async function insertVersion(
  executor: Executor,
  audit: AuditLog,
  added: NewVersion,
  actor: Actor,
  now: Date,
): Promise<void> {
  const { description } = added;
  const familyId = await familyFor(executor, description.family, now);
  await executor
    .insertInto('model_version')
    .values({
      id: added.id,
      family_id: familyId,
      address: `${description.name}:${description.version}`,
      name: description.name,
      version: description.version,
      state: added.state,
      origin: 'blobId' in added.from ? 'added' : 'shipped',
      ...(versionColumns(description.fields) as Insert<ReturnType<typeof versionColumns>>),
      ...bundleColumns(added),
      added_by: actor.id,
      added_at: now,
      updated_at: now,
    })
    .execute();
  await replaceStructures(executor, added.id, description);
  await audit.record(
    {
      actor,
      action: 'model.added',
      subject: { kind: 'model', id: added.id },
      details: { address: `${description.name}:${description.version}`, sha256: added.sha256, bytes: added.bytes },
    },
    executor,
  );
}

/** Columns that follow from the bundle's bytes and nothing else. */
export function bundleColumns(added: NewVersion) {
  const { description } = added;
  return {
    kind: description.kind,
    takes: description.takes,
    regulatory_status: description.regulatoryStatus,
    manufacturer: description.manufacturer,
    model_name: description.modelName,
    intended_use: description.intendedUse,
    classes: JSON.stringify(description.classes),
    channels: JSON.stringify(description.channels),
    sha256: added.sha256,
    bytes: added.bytes,
    weights_sha256: added.weightsSha256,
    files: JSON.stringify(added.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))),
    problem: description.problem ?? null,
    blob_id: 'blobId' in added.from ? added.from.blobId : null,
    shipped_folder: 'shippedFolder' in added.from ? added.from.shippedFolder : null,
  };
}

export async function replaceStructures(executor: Executor, id: string, description: BundleDescription): Promise<void> {
  await executor.deleteFrom('model_structure').where('version_uuid', '=', id).execute();
  if (description.structures.length > 0)
    await executor
      .insertInto('model_structure')
      .values(description.structures.map((structure, position) => structureColumns(id, position, structure)))
      .execute();
}

/** The family that has this name already keeps its fields: an administrator may have written them. */
async function familyFor(executor: Executor, fields: FamilyFields, now: Date): Promise<string> {
  await executor
    .insertInto('model_family')
    .values({
      ...(familyColumns(fields) as Insert<ReturnType<typeof familyColumns>>),
      id: randomUUID(),
      protobuf: null,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('canonical_name').doNothing())
    .execute();
  // Locked, so that the removal of a family's last version cannot take the family away from under a new one.
  const { id } = await executor
    .selectFrom('model_family')
    .select('id')
    .where('canonical_name', '=', fields.canonicalName)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return id;
}

/** The row with these bytes. Throws RegistryError `address-taken` when other bytes have the address. */
export async function existingRow(
  executor: Executor,
  sha256: string,
  address: string,
): Promise<VersionRow | undefined> {
  const rows = await executor
    .selectFrom('model_version')
    .selectAll()
    .where((where) => where.or([where('sha256', '=', sha256), where('address', '=', address)]))
    .execute();
  const same = rows.find((row) => row.sha256 === sha256);
  if (same) return same;
  if (rows.length > 0)
    throw new RegistryError('address-taken', `There is another model ${address}, with other bytes`, {
      where: address,
      next: 'Raise `version` in metadata.json (results name the version that made them), or remove the other model first',
    });
  return undefined;
}
