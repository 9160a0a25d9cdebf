/**
 * The job 'segment': a model's structures in the formats that were asked for; model-run.ts does the rest.
 */
import { isFailure } from '@isocenter/volume';
import { z } from 'zod';
import type { Job } from './job.js';
import type { HandlerContext, HandlerResult, JobHandler } from './job-handler.js';
import { type ModelRunParts, mayGoWellAgain, runModel, wishOf } from './model-run.js';
import { packFiles, packParameter } from './pack-files.js';
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

/** Shares of ct-basic on a CT of 200 slices; a network moves them towards 'model', which is soon learnt. */
const STEPS = [
  { step: 'fetch', share: 0.05 },
  { step: 'read', share: 0.3 },
  { step: 'prepare', share: 0.05 },
  { step: 'model', share: 0.4 },
  { step: 'write', share: 0.2 },
] as const;

type Step = (typeof STEPS)[number]['step'];

export function segmentHandler(parts: ModelRunParts): JobHandler {
  return Object.freeze<JobHandler>({
    kind: 'segment',
    steps: STEPS,
    run: (job, context) => segment(parts, job, context),
    retryable: mayGoWellAgain,
  });
}

async function segment(parts: ModelRunParts, job: Job, context: HandlerContext): Promise<HandlerResult> {
  const { pack, ...wish } = wishOf(job, segmentParameters);
  try {
    const { report, files, outputFolder } = await runModel(parts, job, context, { kind: 'segment', wish }, stepOf);
    return { report, files: pack ? await packFiles(outputFolder, files, pack) : files };
  } catch (error) {
    throw wish.expect === 'archive' ? asBadArchive(error) : error;
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

/** What the engine and its readers call their steps, as one of ours. */
function stepOf(name: string): Step {
  if (name.startsWith('write ') || name === 'done') return 'write';
  if (name === 'transforms') return 'prepare';
  if (name === 'network' || ['body', 'lungs', 'bone'].includes(name)) return 'model';
  return 'read';
}
