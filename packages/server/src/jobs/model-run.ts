/**
 * What all jobs that ask a model have in common: fetch the model and the study to this machine, hand them to a compute child,
 * give back its files. The run's UID and time come from the job, so that a second attempt writes the same bytes.
 */
import { mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { uidFrom } from '@isocenter/dicom/uid';
import { isFailure } from '@isocenter/volume';
import type { z } from 'zod';
import type { Blobs } from '../blobs/blobs.js';
import type { ComputePool, PredictTask, SegmentTask, TaskLimits } from '../compute/compute-pool.js';
import type { Registry } from '../registry/registry.js';
import type { Job } from './job.js';
import type { HandlerContext, HandlerResult } from './job-handler.js';
import { isPassing } from './passing-error.js';
import { SegmentJobError } from './segment-job-error.js';

export interface ModelRunParts {
  readonly registry: Pick<Registry, 'materialise'>;
  readonly blobs: Pick<Blobs, 'toFile'>;
  readonly compute: Pick<ComputePool, 'run'>;
  readonly limits?: Pick<TaskLimits, 'memoryBytes' | 'timeMs'>;
}

/** Another attempt, later or elsewhere, may go well: no fault of the input. */
const PASSING_KINDS = [
  'child-crashed',
  'memory-forecast',
  'busy',
  'temporary-folder',
  // Nobody cancelled the job (then nobody asks): the pool was closed.
  'cancelled',
  'store-unavailable',
  'no-space',
  'disk-full',
  'unavailable',
  // A model of the program that this worker's version does not have.
  'not-here',
];

export function mayGoWellAgain(error: unknown): boolean {
  return isPassing(error) || (isFailure(error) && PASSING_KINDS.includes(error.kind));
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.dcm': 'application/dicom',
  '.zip': 'application/zip',
  '.png': 'image/png',
  '.csv': 'text/csv',
  '.json': 'application/json',
  '.gz': 'application/gzip',
  '.nrrd': 'application/octet-stream',
  '.nii': 'application/octet-stream',
};

/** The step 'fetch' is ours; `stepOf` turns the engine's into those of the handler. */
export async function runModel(
  { registry, blobs, compute, limits }: ModelRunParts,
  job: Job,
  { signal, progress, workFolder }: HandlerContext,
  task: Pick<SegmentTask, 'kind' | 'wish'> | Pick<PredictTask, 'kind' | 'wish'>,
  stepOf: (engineStep: string) => string,
): Promise<HandlerResult & { readonly outputFolder: string }> {
  const [inputId, ...others] = job.inputBlobIds;
  if (inputId === undefined || others.length > 0)
    throw new SegmentJobError('no-input', 'A model is asked about exactly one file', {
      where: 'inputBlobIds',
      next: 'Put all images into one zip.',
    });
  if (job.modelVersionId === undefined)
    throw new SegmentJobError('no-model', 'The job names no model', { where: 'modelVersionId' });
  progress('fetch', 0, 2);
  const model = await registry.materialise(job.modelVersionId, signal);
  progress('fetch', 1, 2);
  const input = await blobs.toFile(inputId, signal);
  try {
    const outputFolder = join(workFolder, 'out');
    await mkdir(outputFolder);
    const run = {
      model,
      inputPath: input.path,
      outputFolder,
      runUID: uidFrom(`isocenter job ${job.id}`),
      now: job.createdAt.toISOString(),
    };
    const answer = await compute.run(
      { ...task, ...run },
      { ...limits, priority: job.priority },
      { signal, progress: (done, total, step) => progress(stepOf(step), done, total) },
    );
    const files = answer.files.map((name) => ({
      path: join(outputFolder, name),
      name,
      mediaType: MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream',
    }));
    return { report: answer.report, files, outputFolder };
  } finally {
    await input.done();
  }
}

/** Throws SegmentJobError `bad-parameters`. */
export function wishOf<Schema extends z.ZodType>(job: Job, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(job.parameters);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SegmentJobError('bad-parameters', `A parameter of the job is wrong: ${issue?.message ?? 'unknown'}`, {
    where: issue?.path.join('.') ?? 'parameters',
    next: 'docs/reference/ lists the parameters of a job.',
  });
}
