/** The worker of this process, from the configuration: which handlers it has, and their limits. */
import type { Logger } from 'pino';
import { segmentHandler } from '../jobs/segment-handler.js';
import type { WorkerOptions } from '../jobs/worker.js';
import type { Core } from './open-core.js';

const MINUTE = 60_000;
const MEGABYTE = 1024 * 1024;

export function workerOptions(core: Core, log: Logger): WorkerOptions {
  const { configuration, state, blobs, audit, registry, compute, folders } = core;
  const { taskMinutes, taskMemoryMegabytes, workers, keepFailedInputsMinutes } = configuration;
  return {
    db: state.db,
    url: state.url,
    blobs,
    audit,
    handlers: [
      segmentHandler({
        registry,
        blobs,
        compute,
        limits: {
          timeMs: taskMinutes * MINUTE,
          ...(taskMemoryMegabytes === undefined ? {} : { memoryBytes: taskMemoryMegabytes * MEGABYTE }),
        },
      }),
    ],
    slots: workers,
    workFolder: folders.work,
    log,
    keepFailedInputsMs: keepFailedInputsMinutes * MINUTE,
  };
}
