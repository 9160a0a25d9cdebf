/** A worker as a process of its own: on the server's machine by its data directory, elsewhere by DATABASE_URL and a shared blob store. */
import { Failure } from '@isocenter/volume';
import type { Logger } from 'pino';
import type { Configuration } from '../configuration/configuration.js';
import { startWorker } from '../jobs/worker.js';
import { loadTracing } from '../operations/tracing.js';
import { joinState, type StateEvent } from '../state/open-state.js';
import { openCore } from './open-core.js';
import { workerOptions } from './worker-options.js';

export class WorkerError extends Failure<'no-slots'> {}

export interface RunningWorker {
  readonly id: string;
  readonly slots: number;
  stop(): Promise<void>;
}

/** Throws StateError when no server of the same version has prepared the database, WorkerError `no-slots`. */
export async function startWorkerProcess(
  configuration: Configuration,
  { log, version }: { readonly log: Logger; readonly version: string },
): Promise<RunningWorker> {
  if (configuration.workers === 0)
    throw new WorkerError('no-slots', 'A worker with 0 jobs at once does nothing', {
      where: 'workers',
      next: 'Give a number with --workers.',
    });
  const state = await joinState({
    home: configuration.home,
    ...(configuration.databaseUrl === undefined ? {} : { databaseUrl: configuration.databaseUrl }),
    applicationName: 'isocenter-worker',
    onEvent: (event: StateEvent) => log.warn({ event }, 'database'),
  });
  const core = await openCore(configuration, state);
  try {
    const tracing = configuration.tracing ? await loadTracing(version) : undefined;
    const worker = await startWorker(workerOptions(core, log, tracing));
    return {
      id: worker.id,
      slots: configuration.workers,
      async stop() {
        await worker.stop(configuration.graceSeconds * 1000);
        await core.close();
      },
    };
  } catch (error) {
    await core.close();
    throw error;
  }
}
