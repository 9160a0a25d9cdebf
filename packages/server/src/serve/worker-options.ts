/** The worker of this process, from the configuration: which handlers it has, and their limits. */
import { statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import { DiskSpace } from '../blobs/disk-space.js';
import type { JobHandler } from '../jobs/job-handler.js';
import { predictHandler } from '../jobs/predict-handler.js';
import { segmentHandler } from '../jobs/segment-handler.js';
import type { WorkerOptions } from '../jobs/worker.js';
import type { Tracing } from '../operations/tracing.js';
import { protocols } from '../protocols/list.js';
import type { WorkerParts } from '../protocols/protocol.js';
import type { Core } from './open-core.js';
import { MEGABYTE, MINUTE_MS } from './units.js';

export function workerOptions(core: Core, log: Logger, tracing?: Tracing): WorkerOptions {
  const { configuration, state, blobs, audit, registry, compute, folders } = core;
  const { taskMinutes, taskMemoryMegabytes, workers, keepFailedInputsMinutes } = configuration;
  const limits = {
    timeMs: taskMinutes * MINUTE_MS,
    ...(taskMemoryMegabytes === undefined ? {} : { memoryBytes: taskMemoryMegabytes * MEGABYTE }),
  };
  const workSpace = new DiskSpace(async () => {
    const { bavail, bsize } = await statfs(folders.work);
    return bavail * bsize;
  }, configuration.diskReserveMegabytes * MEGABYTE);
  return {
    db: state.db,
    url: state.url,
    blobs,
    audit,
    handlers: traced(tracing, handlersOf({ registry, blobs, compute, limits, workSpace })),
    slots: workers,
    workFolder: folders.work,
    log,
    keepFailedInputsMs: keepFailedInputsMinutes * MINUTE_MS,
  };
}

/** Every kind of work that this program knows. */
export function handlersOf(parts: WorkerParts): readonly JobHandler[] {
  return [
    segmentHandler(parts),
    predictHandler(parts),
    ...protocols.flatMap((protocol) => protocol.handlers?.(parts) ?? []),
  ];
}

/** Each run of a job as a span of its own. */
function traced(tracing: Tracing | undefined, handlers: readonly JobHandler[]): readonly JobHandler[] {
  if (!tracing) return handlers;
  return handlers.map((handler) => ({
    ...handler,
    run: (job, context) => tracing.job(job.kind, job.id, () => handler.run(job, context)),
  }));
}
