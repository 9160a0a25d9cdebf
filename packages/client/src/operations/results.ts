/** Results: the files of a job, one by one, by format, or all in one zip. */
import { z } from 'zod';
import { binary, operation } from '../operation.js';
import { id, text } from './common.js';
import { laterFormats, outputFormats, resultFile } from './jobs.js';

export const results = {
  files: operation({
    method: 'GET',
    path: '/isocenter/v1/jobs/:job/files',
    summary: 'The files of a job, and the formats it can be had in',
    tag: 'results',
    permission: 'jobs.read',
    params: z.object({ job: id }),
    answer: z.object({
      items: z.array(resultFile),
      formats: z.array(z.enum(outputFormats)).describe('Formats that were made'),
      laterFormats: z.array(z.enum(laterFormats)).describe('Formats that can still be made without the images'),
    }),
  }),
  file: operation({
    method: 'GET',
    path: '/isocenter/v1/jobs/:job/files/:file',
    summary: 'One file; honours Range, If-None-Match and If-Range',
    tag: 'results',
    permission: 'jobs.read',
    params: z.object({ job: id, file: text(255).min(1) }),
    answer: binary('application/octet-stream'),
  }),
  download: operation({
    method: 'GET',
    path: '/isocenter/v1/jobs/:job/results',
    summary: 'The result in a format (several files come as a zip), or everything as one zip',
    tag: 'results',
    permission: 'jobs.read',
    params: z.object({ job: id }),
    query: z.strictObject({ format: z.enum([...outputFormats, 'zip']).default('zip') }),
    answer: binary(
      'application/zip',
      'application/dicom',
      'application/gzip',
      'application/octet-stream',
      'text/csv',
      'application/json',
    ),
  }),
  erase: operation({
    method: 'DELETE',
    path: '/isocenter/v1/jobs/:job/results',
    summary: 'Erase files and report of a job now; that it ran is still known',
    tag: 'results',
    permission: 'jobs.manage',
    params: z.object({ job: id }),
    query: z.strictObject({ reason: text(500).optional() }),
  }),
} as const;
