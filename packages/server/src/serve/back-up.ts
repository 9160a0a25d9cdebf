/** `isocenter backup` and `isocenter restore`, from the configuration: which database, which blob store. */
import { rm } from 'node:fs/promises';
import { isFailure } from '@isocenter/volume';
import type { BlobStore } from '../blobs/blob-store.js';
import type { Configuration } from '../configuration/configuration.js';
import { restore } from '../state/backup/restore.js';
import { type BackupReport, backup } from '../state/backup/write-backup.js';
import { joinState, openState, type State } from '../state/open-state.js';
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

/** Throws StateError `not-empty`, `bad-backup`, `in-use`; then everything is as it was. */
export async function restoreServer(configuration: Configuration, path: string): Promise<RestoredServer> {
  const { home, databaseUrl } = configuration;
  const store: BlobStore = await storeOf(configuration);
  const { state, ...report } = await restore({
    home,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    path,
    blobs: backupTarget(store),
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

async function joinOrOpen({ home, databaseUrl }: Configuration): Promise<State> {
  const place = { home, ...(databaseUrl === undefined ? {} : { databaseUrl }) };
  try {
    return await joinState({ ...place, applicationName: 'isocenter-command' });
  } catch (error) {
    if (databaseUrl !== undefined || !isFailure(error) || error.kind !== 'unavailable') throw error;
    return openState(place);
  }
}
