/**
 * What servers and workers have in common, put together from the configuration in the order in which things need each
 * other: state → audit → blobs → registry, compute. `close` ends them the other way round.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shippedModels } from '@isocenter/engine/bundles';
import type { AuditTrail } from '../audit/audit-trail.js';
import { openAuditLog } from '../audit/open-audit-log.js';
import type { BlobStore } from '../blobs/blob-store.js';
import type { Blobs } from '../blobs/blobs.js';
import { openBlobs } from '../blobs/open-blobs.js';
import type { ComputePool } from '../compute/compute-pool.js';
import { createComputePool } from '../compute/create-compute-pool.js';
import type { Configuration } from '../configuration/configuration.js';
import { versionIsNeeded } from '../jobs/version-is-needed.js';
import { openRegistry } from '../registry/open-registry.js';
import type { Registry } from '../registry/registry.js';
import type { State } from '../state/open-state.js';
import { rememberedMemory } from './remembered-memory.js';
import { storeOf } from './store-of.js';
import { MEGABYTE, MINUTE_MS } from './units.js';

export interface Core {
  readonly configuration: Configuration;
  readonly state: State;
  readonly audit: AuditTrail;
  readonly store: BlobStore;
  readonly blobs: Blobs;
  readonly registry: Registry;
  readonly compute: ComputePool;
  /** Of this machine, below the data directory. */
  readonly folders: Folders;
  close(): Promise<void>;
}

export interface Folders {
  readonly work: string;
  readonly temporary: string;
}

/** Takes over `state`: it is closed with the core, also when opening fails. */
export async function openCore(configuration: Configuration, state: State): Promise<Core> {
  const { home } = configuration;
  let compute: ComputePool | undefined;
  try {
    const pool = createComputePool({ ...computeOptions(configuration), ...(await rememberedMemory(state)) });
    compute = pool;
    const folders: Folders = { work: join(home, 'work'), temporary: join(home, 'temporary') };
    for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
    const { db } = state;
    const audit = openAuditLog({ db });
    const store = await storeOf(configuration);
    const blobs = await openBlobs({
      db,
      store,
      audit,
      reserveBytes: configuration.diskReserveMegabytes * MEGABYTE,
      copyFolder: join(home, 'copies'),
    });
    const registry = await openRegistry({
      db,
      blobs,
      audit,
      cacheFolder: join(home, 'models'),
      shippedModels,
      isNeeded: versionIsNeeded,
    });
    return Object.freeze({
      configuration,
      state,
      audit,
      store,
      blobs,
      registry,
      compute: pool,
      folders,
      async close() {
        await pool.close();
        await state.close();
      },
    });
  } catch (error) {
    await compute?.close();
    await state.close();
    throw error;
  }
}

function computeOptions(configuration: Configuration) {
  const { computeChildren, warmModels, threads, memoryMegabytes, taskMemoryMegabytes, idleMinutes, home } =
    configuration;
  return {
    maximumChildren: Math.max(computeChildren, warmModels),
    atOnce: computeChildren,
    threads: Math.max(1, Math.floor(threads / computeChildren)),
    idleMs: idleMinutes * MINUTE_MS,
    workFolder: join(home, 'work', 'compute'),
    ...(memoryMegabytes === undefined ? {} : { memoryBudgetBytes: memoryMegabytes * MEGABYTE }),
    ...(taskMemoryMegabytes === undefined ? {} : { memoryLimitBytes: taskMemoryMegabytes * MEGABYTE }),
  };
}
