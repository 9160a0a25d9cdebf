/**
 * The bundles that are part of the program: in the registry from the first start, used where they lie, never copied.
 * They follow the program: a new version of it brings their new fields, and what it no longer has is retired.
 */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadBundle } from '@isocenter/engine/bundles';
import { openSources } from '@isocenter/formats';
import { sql } from 'kysely';
import { SYSTEM } from '../accounts/actor.js';
import type { Executor } from '../state/database.js';
import { bundleRootOf, readBundleFiles, runFilesOf, type StagedFile } from './bundle-files.js';
import { hashOfZip, type ZipPart } from './canonical-zip.js';
import { describeBundle } from './fields-of-bundle.js';
import { bundleColumns, insertVersion, type NewVersion, replaceStructures } from './insert-version.js';
import type { RegistryContext } from './registry-context.js';
import { RegistryError } from './registry-error.js';
import type { VersionRow } from './rows.js';

/** Any number that no other area locks: servers that start together take turns. */
const LOCK = 7_270_004;

/** Brings the rows in line with the program's own models; cheap when nothing changed. */
export async function syncShippedModels(context: RegistryContext): Promise<void> {
  const { db, clock, audit } = context;
  const shipped = await readShipped(context.shippedModels, clock());
  await db.transaction().execute(async (executor) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(executor);
    const rows = await executor.selectFrom('model_version').selectAll().where('origin', '=', 'shipped').execute();
    for (const one of shipped) await syncOne(context, executor, one, rows);
    const addresses = shipped.map(addressOf);
    for (const row of rows) {
      if (row.state === 'retired' || addresses.includes(row.address)) continue;
      await executor
        .updateTable('model_version')
        .set({ state: 'retired', updated_at: clock() })
        .where('id', '=', row.id)
        .execute();
      const subject = { kind: 'model', id: row.id };
      const reason = 'no longer part of the program';
      await audit.record(
        { actor: SYSTEM, action: 'model.retired', subject, reason, details: { address: row.address } },
        executor,
      );
    }
  });
}

async function syncOne(
  { audit, clock }: RegistryContext,
  executor: Executor,
  shipped: NewVersion,
  rows: readonly VersionRow[],
): Promise<void> {
  const address = addressOf(shipped);
  const row = rows.find((candidate) => candidate.address === address);
  if (!row) {
    // Whoever added a model of this address before the program had one keeps it.
    const taken = await executor
      .selectFrom('model_version')
      .select('id')
      .where((where) => where.or([where('address', '=', address), where('sha256', '=', shipped.sha256)]))
      .executeTakeFirst();
    if (!taken) await insertVersion(executor, audit, shipped, SYSTEM, clock());
    return;
  }
  const columns = bundleColumns(shipped);
  if (row.sha256 === columns.sha256 && row.shipped_folder === columns.shipped_folder && row.problem === columns.problem)
    return;
  await executor
    .updateTable('model_version')
    .set({ ...columns, updated_at: clock() })
    .where('id', '=', row.id)
    .execute();
  await replaceStructures(executor, row.id, shipped.description);
  await audit.record(
    {
      actor: SYSTEM,
      action: 'model.upgraded',
      subject: { kind: 'model', id: row.id },
      reason: 'another version of the program',
      details: { address, before: row.sha256, after: columns.sha256 },
    },
    executor,
  );
}

function addressOf({ description }: NewVersion): string {
  return `${description.name}:${description.version}`;
}

async function readShipped(folder: string, now: Date): Promise<NewVersion[]> {
  const found: NewVersion[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue;
    const place = join(folder, entry.name);
    const files = await filesOf(place);
    if (!files) continue;
    const bundle = await loadBundle(place);
    const parts = partsOfFolder(place, bundle.name, files);
    found.push({
      id: randomUUID(),
      description: describeBundle(bundle, now),
      state: 'active',
      ...(await hashOfZip(parts)),
      weightsSha256: bundle.weightsHash,
      files,
      from: { shippedFolder: entry.name },
    });
  }
  return found;
}

async function filesOf(place: string): Promise<StagedFile[] | undefined> {
  const opened = await openSources(place).catch(() => undefined);
  if (!opened) return undefined;
  try {
    return bundleRootOf(opened.sources) === '' ? await readBundleFiles(opened.sources, '', 'all') : undefined;
  } finally {
    await opened.close();
  }
}

function partsOfFolder(place: string, name: string, files: readonly StagedFile[]): ZipPart[] {
  return files.map(({ path, bytes, crc32 }) => ({ name: `${name}/${path}`, from: join(place, path), bytes, crc32 }));
}

/** Folder of a shipped model whose run files are those of the registry. Throws RegistryError `not-here`, `checksum-mismatch`. */
export async function shippedFolder(shippedModels: string, row: VersionRow): Promise<string> {
  const place = join(shippedModels, row.shipped_folder ?? '');
  const files = await filesOf(place);
  if (!files)
    throw new RegistryError('not-here', `${row.address} is not part of this version of the program`, {
      where: row.address,
      next: 'Use a newer version of the model, or run the same version of the program on every machine',
    });
  const changed = runFilesOf(row.files).find(
    (file) => files.find(({ path }) => path === file.path)?.sha256 !== file.sha256,
  );
  if (!changed) return place;
  throw new RegistryError(
    'checksum-mismatch',
    `${row.address} is not the one that the registry knows: ${changed.path} differs`,
    {
      where: row.address,
      next: 'Run the same version of the program on every machine; reinstall it if its files were changed',
    },
  );
}

/** The canonical zip of a shipped model, for export. */
export async function shippedParts(shippedModels: string, row: VersionRow): Promise<ZipPart[]> {
  const place = await shippedFolder(shippedModels, row);
  return partsOfFolder(place, row.name, (await filesOf(place)) ?? []);
}
