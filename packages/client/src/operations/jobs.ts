/** Jobs: post a study, watch it, steer it. */
import { z } from 'zod';
import { binary, events, operation } from '../operation.js';
import { actor, flag, id, integer, listOf, pageOf, pageWish, text, time } from './common.js';

/** `json` and `csv` are those of models that classify or measure; all but `json` those of models that segment. */
export const outputFormats = ['rtstruct', 'seg', 'nifti', 'nrrd', 'png', 'csv', 'sr', 'sc', 'masks', 'json'] as const;
/** What can be made from the stored label map after the images are gone; the others must be asked for with the job. */
export const laterFormats = ['nifti', 'nrrd', 'csv'] as const;
export const jobStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;

export const LOWEST_PRIORITY = -100;
export const HIGHEST_PRIORITY = 100;

export const failure = z.object({
  kind: z.string(),
  message: z.string(),
  where: z.string().optional(),
  next: z.string().optional(),
});

export const resultFile = z.object({
  name: z.string(),
  mediaType: z.string(),
  bytes: z.int(),
  sha256: z.string(),
});

export const progress = z.object({
  step: z.string(),
  fraction: z.number().min(0).max(1),
  secondsLeft: z.number().optional().describe('Learnt from earlier runs of the model; absent before there are any'),
});

/** A row of the list, and what each event tells. */
export const jobSummary = z.object({
  id,
  kind: z.string(),
  state: z.enum(jobStates),
  priority: z.int(),
  protocol: z.string().describe('Through which door it came: rest, innereye, segint …'),
  requestedBy: actor,
  model: z.string().optional().describe('name:version'),
  study: z.string().optional().describe('Id of the kept study it runs on'),
  progress,
  attempts: z.int(),
  maxAttempts: z.int(),
  worker: z.string().optional(),
  cancelRequested: z.boolean(),
  failure: failure.optional(),
  createdAt: time,
  startedAt: time.optional(),
  finishedAt: time.optional(),
});

/** What is said of one structure. */
export const structureResult = z.looseObject({
  name: z.string(),
  label: z.int(),
  voxels: z.int(),
  ml: z.number(),
  contours: z.int().optional(),
  mean: z.number().optional(),
  proof: z.enum(['exact', 'differs', 'none']),
});

/** What a model that classifies or measures said of one volume, or of one image of a model that looks at single images. */
export const studyPrediction = z.looseObject({
  SeriesInstanceUID: z.string().optional(),
  images: z
    .array(z.looseObject({ SOPInstanceUID: z.string(), frameNumber: z.int().optional() }))
    .optional()
    .describe('The images that the model saw'),
  plane: z.int().optional().describe('Of a volume, from 0'),
  classes: z.array(z.object({ name: z.string(), probability: z.number() })).optional(),
  values: z.array(z.object({ name: z.string(), value: z.number(), unit: z.string().optional() })).optional(),
});

/** The report of a segmentation or prediction; further fields (proofs, findings, provenance, times) as in docs/reference/report.md. */
export const jobReport = z.looseObject({
  exact: z.boolean().optional().describe('Every file was read back and holds exactly the voxels of the answer'),
  structures: z.array(structureResult).optional(),
  answer: z.enum(['classification', 'regression']).optional().describe('Of a job of the kind `predict`'),
  predictions: z.array(studyPrediction).optional(),
});

export const job = jobSummary.extend({
  parameters: z.record(z.string(), z.unknown()),
  files: z.array(resultFile),
  report: jobReport.optional(),
});

/** How to run the model and what to write; the names are those of `isocenter segment`. */
const wish = {
  formats: listOf(z.enum(outputFormats))
    .optional()
    .describe(
      'What to write; default: rtstruct, seg, png, csv for DICOM, else nifti, png, csv. NIfTI is always kept. Models that classify or measure write json and csv',
    ),
  series: text(128).optional().describe('SeriesInstanceUID, or number as the list of series shows it'),
  holes: z.enum(['keyhole', 'even-odd', 'separate']).optional().describe('RTSTRUCT: how holes are written'),
  profile: z.enum(['strict', 'innereye']).optional().describe('RTSTRUCT profile'),
  segType: z.enum(['binary', 'labelmap']).optional().describe('SEG: kind of the object'),
  inset: flag.optional().describe('RTSTRUCT: contours inside the voxel edges, for readers that paint borders'),
  label: text(16).optional().describe('Structure Set Label or Content Label'),
  requireExact: flag.optional().describe('A difference between a file and the answer fails the job'),
  ignoreDamaged: flag.optional().describe('Leave damaged files out instead of refusing'),
  longestRun: flag.optional().describe('Uneven slices: take the longest even run instead of refusing'),
  ties: z.enum(['refuse', 'first']).optional().describe('Series that fit equally well'),
  priority: integer(LOWEST_PRIORITY, HIGHEST_PRIORITY)
    .optional()
    .describe('Higher first; anything above 0 needs jobs.prioritise'),
  maxAttempts: integer(1, 10).optional().describe('Default 3'),
};

export const createdJob = jobSummary;

export const jobs = {
  create: operation({
    method: 'POST',
    path: '/isocenter/v1/jobs',
    summary: 'Post a study (zip, tar, DICOM, NIfTI, NRRD) to a model',
    tag: 'jobs',
    permission: 'jobs.create',
    query: z.strictObject({ model: id.describe('name, name:version or id'), ...wish }),
    body: binary('application/zip', 'application/octet-stream', 'application/dicom', 'application/gzip', '*/*'),
    answer: createdJob,
    status: 202,
    idempotent: true,
  }),
  createFromStudy: operation({
    method: 'POST',
    path: '/isocenter/v1/studies/:study/jobs',
    summary: 'Run a model on a study that was uploaded before',
    tag: 'jobs',
    permission: 'jobs.create',
    params: z.object({ study: id }),
    body: z.strictObject({ model: id.describe('name, name:version or id'), ...wish }),
    answer: createdJob,
    status: 202,
    idempotent: true,
  }),
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/jobs',
    summary: 'Jobs, newest first: own ones, or all with jobs.read-all',
    tag: 'jobs',
    permission: 'jobs.read',
    query: z.strictObject({
      ...pageWish,
      states: listOf(z.enum(jobStates)).optional(),
      model: id.optional().describe('name:version'),
      protocol: text(64).optional(),
      requestedBy: id.optional().describe('Id of the account or key'),
      createdAfter: time.optional(),
      createdBefore: time.optional(),
    }),
    answer: pageOf(jobSummary),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/jobs/:job',
    summary: 'One job with its report and files',
    tag: 'jobs',
    permission: 'jobs.read',
    params: z.object({ job: id }),
    answer: job,
  }),
  events: operation({
    method: 'GET',
    path: '/isocenter/v1/jobs/:job/events',
    summary: 'The job now and after every change, until it ends',
    tag: 'jobs',
    permission: 'jobs.read',
    params: z.object({ job: id }),
    answer: events(jobSummary),
  }),
  cancel: operation({
    method: 'POST',
    path: '/isocenter/v1/jobs/:job/cancel',
    summary: 'End a job: a queued one at once, a running one within a second',
    tag: 'jobs',
    permission: 'jobs.manage',
    params: z.object({ job: id }),
    query: z.strictObject({ reason: text(500).optional() }),
    answer: jobSummary,
  }),
  retry: operation({
    method: 'POST',
    path: '/isocenter/v1/jobs/:job/retry',
    summary: 'Run a failed or cancelled job again, while its images are still there',
    tag: 'jobs',
    permission: 'jobs.manage',
    params: z.object({ job: id }),
    answer: jobSummary,
    status: 202,
  }),
  setPriority: operation({
    method: 'PUT',
    path: '/isocenter/v1/jobs/:job/priority',
    summary: 'Move a waiting job forward or back; the reason stands in the audit log',
    tag: 'jobs',
    permission: 'jobs.prioritise',
    params: z.object({ job: id }),
    body: z.strictObject({
      priority: z.int().min(LOWEST_PRIORITY).max(HIGHEST_PRIORITY),
      reason: text(500).min(1),
    }),
    answer: jobSummary,
  }),
} as const;
