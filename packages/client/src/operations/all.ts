/** The whole REST API v1 as data, by area: `api.jobs.create` is an operation. */
import { invites, keys, sessions, users } from './accounts.js';
import { audit, compute, operations, settings } from './administration.js';
import { families } from './families.js';
import { feedback, telemetry } from './feedback.js';
import { jobs } from './jobs.js';
import { models } from './models.js';
import { results } from './results.js';
import { studies } from './studies.js';

export const api = Object.freeze({
  models,
  families,
  jobs,
  results,
  studies,
  feedback,
  telemetry,
  users,
  sessions,
  invites,
  keys,
  audit,
  settings,
  compute,
  operations,
});

export type Api = typeof api;
