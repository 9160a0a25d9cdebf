/** What people say about results, and what clients measured. */
import { z } from 'zod';
import { operation } from '../operation.js';
import { actor, flag, id, pageOf, pageWish, text, time } from './common.js';

const score = z.number().min(0).max(1);

const feedbackFields = {
  accepted: z.boolean().describe('The result was used'),
  comments: text(4000).optional(),
  score: score.optional().describe('0 useless to 1 perfect'),
  structures: z
    .array(z.strictObject({ structure: text(64).min(1), comments: text(4000).optional(), score: score.optional() }))
    .max(500)
    .default([]),
};

export const feedbackEntry = z.object({
  id,
  job: id.optional(),
  model: z.string().optional(),
  createdBy: actor,
  createdAt: time,
  ...feedbackFields,
});

export const feedback = {
  give: operation({
    method: 'POST',
    path: '/isocenter/v1/jobs/:job/feedback',
    summary: 'Say whether a result was used, and how good it was, also per structure',
    tag: 'feedback',
    permission: 'feedback.write',
    params: z.object({ job: id }),
    body: z.strictObject(feedbackFields),
    answer: feedbackEntry,
    status: 201,
  }),
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/feedback',
    summary: 'Feedback, newest first',
    tag: 'feedback',
    permission: 'feedback.read',
    query: z.strictObject({
      ...pageWish,
      job: id.optional(),
      model: id.optional().describe('name:version'),
      accepted: flag.optional(),
    }),
    answer: pageOf(feedbackEntry),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/feedback/:feedback',
    summary: 'One feedback',
    tag: 'feedback',
    permission: 'feedback.read',
    params: z.object({ feedback: id }),
    answer: feedbackEntry,
  }),
} as const;

/** Longest time that a client may report: a week in ms. */
const LONGEST_MS = 7 * 24 * 3600 * 1000;
const milliseconds = z.int().min(0).max(LONGEST_MS);

const telemetryFields = {
  job: id.optional(),
  model: id.optional(),
  client: text(64).optional().describe('Name and version of the client program'),
  uploadMs: milliseconds.optional(),
  waitMs: milliseconds.optional(),
  downloadMs: milliseconds.optional(),
  retries: z.int().min(0).max(1_000_000).optional(),
  error: z.enum(['none', 'connection', 'internal', 'timeout']).default('none'),
  errorInformation: text(2000).optional().describe('No patient data'),
};

export const telemetryEntry = z.object({ id, createdBy: actor, createdAt: time, ...telemetryFields });

export const telemetry = {
  send: operation({
    method: 'POST',
    path: '/isocenter/v1/telemetry',
    summary: 'What a client measured: upload, wait, download, retries, its own errors',
    tag: 'telemetry',
    permission: 'telemetry.write',
    body: z.strictObject(telemetryFields),
    answer: telemetryEntry,
    status: 201,
  }),
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/telemetry',
    summary: 'Telemetry, newest first',
    tag: 'telemetry',
    permission: 'telemetry.read',
    query: z.strictObject({ ...pageWish, job: id.optional(), model: id.optional() }),
    answer: pageOf(telemetryEntry),
  }),
} as const;
