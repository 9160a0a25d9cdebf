/** Reading families and versions: by id, by address, page by page. */
import { sql } from 'kysely';
import { numberOf, pageOf } from '../paging/number-cursor.js';
import type { Executor } from '../state/database.js';
import { isUuid } from '../state/uuid.js';
import { compareVersions, parseAddress } from './addresses.js';
import type { ModelFamily, ModelVersion } from './model.js';
import { RegistryError } from './registry-error.js';
import { familyOf, type VersionRow, versionOf } from './rows.js';

const LARGEST_PAGE = 500;

const FAMILY_COLUMNS = [
  'id',
  'canonical_name',
  'language_code',
  'name',
  'description',
  'clinical_domain',
  'anatomical_region',
  'primary_structure',
  'modalities',
  'input_channels',
  'body_parts_examined',
  'gender',
  'created_at',
  'updated_at',
] as const;

/** Without the protobuf's bytes, which only one caller wants. */
export function selectFamilies(db: Executor) {
  return db
    .selectFrom('model_family')
    .select([...FAMILY_COLUMNS])
    .select(sql<boolean>`protobuf is not null`.as('has_protobuf'));
}

export async function readFamilies(db: Executor): Promise<ModelFamily[]> {
  return (await selectFamilies(db).orderBy('canonical_name').execute()).map(familyOf);
}

export async function readFamily(db: Executor, id: string): Promise<ModelFamily | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await selectFamilies(db).where('id', '=', id).executeTakeFirst();
  return row && familyOf(row);
}

export async function findRow(db: Executor, idOrAddress: string): Promise<VersionRow | undefined> {
  if (isUuid(idOrAddress)) {
    const row = await db.selectFrom('model_version').selectAll().where('id', '=', idOrAddress).executeTakeFirst();
    if (row) return row;
  }
  const address = parseAddress(idOrAddress);
  if (!address) return undefined;
  if (address.version !== undefined)
    return db.selectFrom('model_version').selectAll().where('address', '=', idOrAddress).executeTakeFirst();
  const candidates = await db
    .selectFrom('model_version')
    .select(['id', 'version', 'number'])
    .where('name', '=', address.name)
    .where('state', '=', 'active')
    .execute();
  // Equal in rank (1.0 and 1.0.0): the one that was added last.
  const [newest] = candidates.sort(
    (a, b) => compareVersions(b.version, a.version) || Number(BigInt(b.number) - BigInt(a.number)),
  );
  if (!newest) return undefined;
  return db.selectFrom('model_version').selectAll().where('id', '=', newest.id).executeTakeFirst();
}

/** Throws RegistryError `not-found`. */
export async function rowOf(db: Executor, idOrAddress: string): Promise<VersionRow> {
  const row = await findRow(db, idOrAddress);
  if (row) return row;
  throw new RegistryError('not-found', 'There is no such model', {
    where: idOrAddress.slice(0, 130),
    next: 'List the models, and name one by id or as name:version',
  });
}

export async function versionsOf(db: Executor, rows: readonly VersionRow[]): Promise<ModelVersion[]> {
  if (rows.length === 0) return [];
  const structures = await db
    .selectFrom('model_structure')
    .selectAll()
    .where(
      'version_uuid',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('position')
    .execute();
  return rows.map((row) =>
    versionOf(
      row,
      structures.filter(({ version_uuid }) => version_uuid === row.id),
    ),
  );
}

export async function readVersion(db: Executor, idOrAddress: string): Promise<ModelVersion | undefined> {
  const row = await findRow(db, idOrAddress);
  return row && (await versionsOf(db, [row]))[0];
}

export interface VersionPage {
  readonly cursor?: string;
  readonly limit: number;
  readonly familyId?: string;
  readonly state?: ModelVersion['state'];
  readonly versionId?: string;
}

export async function readVersions(
  db: Executor,
  page: VersionPage,
): Promise<{ readonly versions: readonly ModelVersion[]; readonly next?: string }> {
  const limit = Math.max(1, Math.min(LARGEST_PAGE, Math.floor(page.limit)));
  let query = db.selectFrom('model_version').selectAll();
  if (page.cursor !== undefined) query = query.where('number', '<', numberOf(page.cursor));
  if (page.familyId !== undefined) {
    if (!isUuid(page.familyId)) return { versions: [] };
    query = query.where('family_id', '=', page.familyId);
  }
  if (page.versionId !== undefined) query = query.where('version_id', '=', page.versionId);
  if (page.state !== undefined) query = query.where('state', '=', page.state);
  const rows = await query
    .orderBy('number', 'desc')
    .limit(limit + 1)
    .execute();
  const { items, next } = pageOf(rows, limit, (row) => row);
  const versions = await versionsOf(db, items);
  return next === undefined ? { versions } : { versions, next };
}
