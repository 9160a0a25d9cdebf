/** Puts the registry together: rows in the database, bytes in the blob store, unpacked bundles in a folder of this machine. */
import { mkdir } from 'node:fs/promises';
import { SYSTEM } from '../accounts/actor.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { Blobs } from '../blobs/blobs.js';
import type { ModelRef } from '../compute/compute-pool.js';
import type { Database, Executor } from '../state/database.js';
import { addVersion } from './add-version.js';
import { runFilesOf } from './bundle-files.js';
import { changeFamily, changeVersion, fillFamily, keepProtobuf, noFamily, removeVersion } from './change-models.js';
import { exportVersion } from './export-model.js';
import { ModelCache } from './model-cache.js';
import type { OnnxBundleOptions } from './onnx/make-onnx-bundle.js';
import { openModule, storeModule } from './python-module.js';
import { readFamilies, readFamily, readVersion, readVersions, rowOf } from './read-models.js';
import type { Registry } from './registry.js';
import type { RegistryContext } from './registry-context.js';
import { shippedFolder, syncShippedModels } from './shipped-models.js';

export interface RegistryOptions {
  readonly db: Database;
  readonly blobs: Blobs;
  readonly audit: AuditLog;
  /** On a local disk of this machine; made when it is not there, readable by its owner only. */
  readonly cacheFolder: string;
  /** The program's own models; default of the composition: `shippedModels` of the engine. */
  readonly shippedModels: string;
  /** Default: the system's. */
  readonly clock?: () => Date;
  /** Do queued or running jobs refer to this version? Default: never. */
  readonly isNeeded?: (versionId: string, executor: Executor) => Promise<boolean>;
  /** Unpacked bundles above this are removed, least recently used first. Default 20 GiB. */
  readonly cacheLimitBytes?: number;
  /** Nothing handed out within this time is removed from the cache. Default 10 minutes. */
  readonly cacheGraceMs?: number;
  /** Limits of the child that tries out an uploaded ONNX file. */
  readonly onnx?: OnnxBundleOptions;
}

const DEFAULT_CACHE_BYTES = 20 * 1024 ** 3;
const DEFAULT_GRACE_MS = 10 * 60_000;

/** The shipped models are there when it resolves. */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { db, blobs, audit, cacheFolder, shippedModels } = options;
  const clock = options.clock ?? (() => new Date());
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  const cache = new ModelCache({
    folder: cacheFolder,
    limitBytes: options.cacheLimitBytes ?? DEFAULT_CACHE_BYTES,
    graceMs: options.cacheGraceMs ?? DEFAULT_GRACE_MS,
    clock,
    onRepair: (sha256) =>
      audit.record({
        actor: SYSTEM,
        action: 'model.cache-repaired',
        subject: { kind: 'model-bytes', id: sha256 },
        reason: 'the unpacked files on this machine were changed or damaged',
      }),
  });
  const context: RegistryContext = {
    db,
    blobs,
    audit,
    cache,
    cacheFolder,
    shippedModels,
    clock,
    isNeeded: options.isNeeded ?? (async () => false),
    onnx: options.onnx ?? {},
  };
  await syncShippedModels(context);
  await cache.sweep();
  return {
    families: () => readFamilies(db),
    family: (id) => readFamily(db, id),
    version: (idOrAddress) => readVersion(db, idOrAddress),
    versions: (page) => readVersions(db, page),
    add: (path, wish, actor) => addVersion(context, path, wish, actor),
    updateFamily: (id, changes, actor) => changeFamily(context, id, changes, actor),
    updateVersion: (id, changes, actor) => changeVersion(context, id, changes, actor),
    fill: (id, changes, actor) => fillFamily(context, id, changes, actor),
    remove: (id, actor) => removeVersion(context, id, actor),
    exportTo: (id, path) => exportVersion(context, id, path),
    materialise: (id, signal) => materialise(context, id, signal),
    async protobuf(familyId) {
      if (!(await readFamily(db, familyId))) throw noFamily(familyId);
      const row = await db
        .selectFrom('model_family')
        .select('protobuf')
        .where('id', '=', familyId)
        .executeTakeFirstOrThrow();
      return row.protobuf ?? undefined;
    },
    async storeProtobuf(familyId, bytes, actor) {
      await db.transaction().execute((executor) => keepProtobuf(context, executor, familyId, bytes, actor));
    },
    storeModule: (id, name, source, actor) => storeModule(context, id, name, source, actor),
    openModule: (id) => openModule(context, id),
  };
}

async function materialise(context: RegistryContext, id: string, signal?: AbortSignal): Promise<ModelRef> {
  signal?.throwIfAborted();
  const row = await rowOf(context.db, id);
  const { blob_id: blobId, address, sha256, name } = row;
  if (blobId === null) return { address, sha256, folder: await shippedFolder(context.shippedModels, row) };
  const folder = await context.cache.get({
    sha256,
    name,
    files: runFilesOf(row.files),
    fetch: () => context.blobs.toFile(blobId),
  });
  signal?.throwIfAborted();
  return { address, sha256, folder };
}
