/**
 * The job 'segment': fetch the model and the study to this machine, hand them to a compute child, give back its files.
 * The run's UID and time come from the job, so that a second attempt writes the same bytes.
 */
import { mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { uidFrom } from '@isocenter/dicom/uid';
import { isFailure } from '@isocenter/volume';
import { z } from 'zod';
import type { Blobs } from '../blobs/blobs.js';
import type { ComputePool, SegmentWish, TaskLimits } from '../compute/compute-pool.js';
import type { Registry } from '../registry/registry.js';
import type { Job } from './job.js';
import type { HandlerContext, HandlerResult, JobHandler } from './job-handler.js';
import { packFiles, packParameter } from './pack-files.js';
import { isPassing } from './passing-error.js';
import { SegmentJobError } from './segment-job-error.js';

/** Of `parameters`: how to run the model and what to write. Other keys belong to the door that made the job. */
export const segmentParameters = z.object({
  formats: z.union([z.literal('default'), z.array(z.string().max(40)).min(1).max(16)]).default('default'),
  series: z.string().max(128).optional(),
  holes: z.enum(['keyhole', 'even-odd', 'separate']).optional(),
  profile: z.enum(['strict', 'innereye']).optional(),
  segType: z.enum(['binary', 'labelmap']).optional(),
  inset: z.boolean().optional(),
  label: z.string().max(16).optional(),
  requireExact: z.boolean().optional(),
  ignoreDamaged: z.boolean().optional(),
  longestRun: z.boolean().optional(),
  ties: z.enum(['refuse', 'first']).optional(),
  stem: z.string().max(64).optional(),
  expect: z.enum(['any', 'archive']).optional(),
  uniqueNames: z.boolean().optional(),
  modelId: z.string().max(64).optional(),
  pack: packParameter.optional(),
});

export interface SegmentHandlerParts {
  readonly registry: Pick<Registry, 'materialise'>;
  readonly blobs: Pick<Blobs, 'toFile'>;
  readonly compute: Pick<ComputePool, 'run'>;
  readonly limits?: Pick<TaskLimits, 'memoryBytes' | 'timeMs'>;
}

/** Shares of ct-basic on a CT of 200 slices; a network moves them towards 'model', which is soon learnt. */
const STEPS = [
  { step: 'fetch', share: 0.05 },
  { step: 'read', share: 0.3 },
  { step: 'prepare', share: 0.05 },
  { step: 'model', share: 0.4 },
  { step: 'write', share: 0.2 },
] as const;

type Step = (typeof STEPS)[number]['step'];

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

export function segmentHandler(parts: SegmentHandlerParts): JobHandler {
  return Object.freeze<JobHandler>({
    kind: 'segment',
    steps: STEPS,
    run: (job, context) => segment(parts, job, context),
    retryable: (error) => isPassing(error) || (isFailure(error) && PASSING_KINDS.includes(error.kind)),
  });
}

async function segment(
  { registry, blobs, compute, limits }: SegmentHandlerParts,
  job: Job,
  { signal, progress, workFolder }: HandlerContext,
): Promise<HandlerResult> {
  const { pack, ...wish } = wishOf(job);
  const [inputId, ...others] = job.inputBlobIds;
  if (inputId === undefined || others.length > 0)
    throw new SegmentJobError('no-input', 'A segmentation takes exactly one file', {
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
    const answer = await compute.run(
      {
        kind: 'segment',
        model,
        inputPath: input.path,
        outputFolder,
        wish,
        runUID: uidFrom(`isocenter job ${job.id}`),
        now: job.createdAt.toISOString(),
      },
      { ...limits, priority: job.priority },
      { signal, progress: (done, total, step) => progress(stepOf(step), done, total) },
    );
    const files = answer.files.map((name) => ({
      path: join(outputFolder, name),
      name,
      mediaType: MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream',
    }));
    return { report: answer.report, files: pack ? await packFiles(outputFolder, files, pack) : files };
  } catch (error) {
    throw wish.expect === 'archive' ? asBadArchive(error) : error;
  } finally {
    await input.done();
  }
}

/** Faults of the archive itself; the others (a password, no file in it) leave open whether it is a good one. */
const BAD_ARCHIVE = [
  'not-an-archive',
  'truncated',
  'corrupt',
  'crc-mismatch',
  'size-mismatch',
  'multi-disk',
  'too-many-entries',
  'entry-too-large',
  'total-too-large',
  'ratio-exceeded',
  'overlapping-entries',
  'unsafe-name',
];

/** A job keeps the kind of its failure and not its class, and a cut DICOM file is 'truncated' as well as a cut zip. */
function asBadArchive(error: unknown): unknown {
  if (!isFailure(error) || error.name !== 'ArchiveError' || !BAD_ARCHIVE.includes(error.kind)) return error;
  const { message, where, next } = error;
  return new SegmentJobError('bad-archive', message, { where, next, cause: error });
}

function wishOf(job: Job): SegmentWish & { readonly pack?: z.infer<typeof packParameter> } {
  const parsed = segmentParameters.safeParse(job.parameters);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SegmentJobError('bad-parameters', `A parameter of the job is wrong: ${issue?.message ?? 'unknown'}`, {
    where: issue?.path.join('.') ?? 'parameters',
    next: 'docs/reference/ lists the parameters of a segmentation.',
  });
}

/** What the engine and its readers call their steps, as one of ours. */
function stepOf(name: string): Step {
  if (name.startsWith('write ') || name === 'done') return 'write';
  if (name === 'transforms') return 'prepare';
  if (name === 'network' || ['body', 'lungs', 'bone'].includes(name)) return 'model';
  return 'read';
}
