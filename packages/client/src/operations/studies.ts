/** Studies: upload once, look, run several models, delete. Without use they are erased after a bounded time. */
import { z } from 'zod';
import { binary, operation } from '../operation.js';
import { actor, id, pageOf, pageWish, time } from './common.js';

export const study = z.object({
  id,
  bytes: z.int(),
  sha256: z.string(),
  createdBy: actor,
  createdAt: time,
  expiresAt: time.describe('Erased then, unless a job uses it before: each use moves it'),
  jobs: z.int().describe('Jobs that were made of it'),
});

const finding = z.looseObject({ kind: z.string(), message: z.string() });

/** The answer of `isocenter inspect`: what a program needs to choose a series. No patient data. */
export const inspection = z.object({
  series: z.array(
    z.object({
      number: z.int(),
      SeriesInstanceUID: z.string(),
      Modality: z.string(),
      images: z.int(),
      size: z.array(z.number()).optional().describe('Voxels along i, j, k'),
      spacing: z.array(z.number()).optional().describe('mm along i, j, k'),
      axes: z.string().optional().describe('Directions in which i, j, k grow, such as LPS'),
      localiser: z.boolean(),
      usable: z.boolean(),
      findings: z.array(finding),
    }),
  ),
  images: z.array(
    z.object({
      format: z.string(),
      channels: z.int(),
      size: z.array(z.number()),
      spacing: z.array(z.number()),
      axes: z.string(),
    }),
  ),
  objects: z.array(z.object({ kind: z.string(), SOPInstanceUID: z.string() })),
  ignored: z.int().describe('Files that are no images'),
  refused: z.array(z.object({ kind: z.string(), message: z.string(), next: z.string().optional() })),
  choice: z
    .object({
      model: z.string().optional(),
      reasons: z.array(z.string()),
      failure: z.object({ kind: z.string(), message: z.string(), next: z.string().optional() }).optional(),
    })
    .optional()
    .describe('Which series the model would take, or why none'),
});

export const studies = {
  add: operation({
    method: 'POST',
    path: '/isocenter/v1/studies',
    summary: 'Upload a study (zip, tar, DICOM, NIfTI, NRRD) to run several models on it',
    tag: 'studies',
    permission: 'studies.write',
    body: binary('application/zip', 'application/octet-stream', 'application/dicom', 'application/gzip', '*/*'),
    answer: study,
    status: 201,
  }),
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/studies',
    summary: 'Own studies that are still kept, newest first; all with jobs.read-all',
    tag: 'studies',
    permission: 'studies.write',
    query: z.strictObject(pageWish),
    answer: pageOf(study),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/studies/:study',
    summary: 'One study',
    tag: 'studies',
    permission: 'studies.write',
    params: z.object({ study: id }),
    answer: study,
  }),
  inspect: operation({
    method: 'GET',
    path: '/isocenter/v1/studies/:study/series',
    summary: 'The series in a study, what is wrong with them, and which one a model would take',
    tag: 'studies',
    permission: 'studies.write',
    params: z.object({ study: id }),
    query: z.strictObject({ model: id.optional().describe('name, name:version or id') }),
    answer: inspection,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/isocenter/v1/studies/:study',
    summary: 'Erase a study now; refused while a job runs on it',
    tag: 'studies',
    permission: 'studies.write',
    params: z.object({ study: id }),
  }),
} as const;
