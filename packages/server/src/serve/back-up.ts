/** `isocenter backup` and `isocenter restore`, from the configuration: which database, which blob store. */
import { rm } from 'node:fs/promises';
import { isFailure } from '@isocenter/volume';
import type { BlobStore } from '../blobs/blob-store.js';
import type { Configuration } from '../configuration/configuration.js';
import type { OpenedBackup } from '../state/backup/read-backup.js';
import { restore } from '../state/backup/restore.js';
import { type BackupReport, backup } from '../state/backup/write-backup.js';
import { joinState, openState, type State } from '../state/open-state.js';
import { StateError } from '../state/state-error.js';
import { backupSource, backupTarget } from './backup-blobs.js';
import { storeOf } from './store-of.js';

/** While a server runs it is joined; otherwise its database is started for the time of the backup. Throws StateError. */
export async function withState<T>(configuration: Configuration, work: (state: State) => Promise<T>): Promise<T> {
  const state = await joinOrOpen(configuration);
  try {
    return await work(state);
  } finally {
    await state.close();
  }
}

/** Throws StateError `backup-failed`; then nothing is left at `path`. */
export async function backUp(configuration: Configuration, path: string, replace: boolean): Promise<BackupReport> {
  return withState(configuration, async (state) => {
    const store = await storeOf(configuration);
    if (replace) await rm(path, { force: true });
    return backup(state, backupSource(store), path);
  });
}

export interface RestoredServer {
  readonly createdAt: string;
  readonly rows: number;
  readonly blobs: number;
  /** Jobs that were not at their end: they run when a server starts. Those whose images are gone then fail and say so. */
  readonly requeued: number;
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
}

/**
 * Throws StateError `not-empty`, `bad-backup`, `in-use`; then everything is as it was. `sameStore`: the server that the backup
 * is of is gone for good, and its blob store is taken over.
 */
export async function restoreServer(
  configuration: Configuration,
  path: string,
  sameStore: boolean,
): Promise<RestoredServer> {
  const { home, databaseUrl } = configuration;
  const store: BlobStore = await storeOf(configuration);
  const { state, ...report } = await restore({
    home,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    path,
    blobs: backupTarget(store),
    ...(sameStore ? {} : { inspect: (opened: OpenedBackup) => refuseSharedStore(opened, store) }),
    requeue: async (id, { db }) => {
      await db
        .updateTable('job')
        .set({ state: 'queued', message_id: null, worker: null, claim: null, started_at: null, step: '', fraction: 0 })
        .where('id', '=', id)
        .execute();
    },
  });
  await state.close();
  return report;
}

/**
 * The restored server is the same installation to the store: its sweeper would erase what the original wrote since, as
 * objects that no row knows.
 */
async function refuseSharedStore({ manifest, read }: OpenedBackup, store: BlobStore): Promise<void> {
  const part = manifest.tables.find(({ name }) => name === 'blob_installation')?.parts[0];
  if (!part) return;
  const [id] = JSON.parse(Buffer.from(await read(part)).toString()) as [string];
  for await (const _ of store.list(`${id}/`))
    throw new StateError('not-empty', 'The blob store already holds objects of the server that this backup is of.', {
      where: 'blobStore',
      next: 'Give another store or prefix. Only when that server is gone for good: --same-store, and what it wrote after the backup is erased.',
    });
}

async function joinOrOpen({ home, databaseUrl }: Configuration): Promise<State> {
  const place = { home, ...(databaseUrl === undefined ? {} : { databaseUrl }) };
  try {
    return await joinState({ ...place, applicationName: 'isocenter-command' });
  } catch (error) {
    if (databaseUrl !== undefined || !isFailure(error) || error.kind !== 'unavailable') throw error;
    return openState(place);
  }
}
