/** What an administrator looks at and turns: audit, settings, workers and compute, self-test, statistics. */
import { z } from 'zod';
import { operation } from '../operation.js';
import { actor, id, pageOf, pageWish, text, time } from './common.js';

export const auditEntry = z.object({
  seq: z.int().describe('1, 2, 3 … without a gap'),
  at: time,
  actor,
  action: z.string(),
  subject: z.object({ kind: z.string(), id: z.string() }),
  reason: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  requestId: z.string().optional(),
  hash: z.string(),
});

const anchor = z.object({ logId: z.string(), seq: z.int(), hash: z.string() });

export const audit = {
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/audit',
    summary: 'The audit log, newest first',
    tag: 'audit',
    permission: 'audit.read',
    query: z.strictObject({
      ...pageWish,
      action: text(64).optional(),
      actor: id.optional().describe('Id of who did it'),
      subject: id.optional().describe('Id of what it was done to'),
      after: time.optional(),
      before: time.optional(),
    }),
    answer: pageOf(auditEntry),
  }),
  verify: operation({
    method: 'POST',
    path: '/isocenter/v1/audit/verify',
    summary: 'Check the chain of hashes from the first entry to the last',
    tag: 'audit',
    permission: 'audit.read',
    body: z.strictObject({
      anchor: anchor.optional().describe('Written down before: the chain must go through it'),
    }),
    answer: z.object({
      intact: z.boolean(),
      checked: z.int().describe('Sound entries before the first problem, or all'),
      anchor: anchor
        .optional()
        .describe('The last sound entry: keep it elsewhere, it proves later that nothing was rewritten'),
      problem: z
        .object({ kind: z.string(), seq: z.int().describe('The first entry that is wrong'), message: z.string() })
        .optional(),
    }),
  }),
} as const;

export const setting = z.object({
  name: z.string(),
  value: z.unknown().describe('What this server runs with; secrets as "(set)"'),
  origin: z.enum(['default', 'file', 'environment', 'flag']),
  environment: z.string().describe('Name of its variable'),
  about: z.string(),
  changeable: z.boolean().describe('Can be changed here; the others are set where the server is started'),
  waiting: z.unknown().optional().describe('What was set since and holds after the next start'),
});

export const settings = {
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/settings',
    summary: 'All settings with their values; secrets are not shown',
    tag: 'settings',
    permission: 'settings.read',
    answer: z.object({ items: z.array(setting) }),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/settings/:setting',
    summary: 'One setting',
    tag: 'settings',
    permission: 'settings.read',
    params: z.object({ setting: id }),
    answer: setting,
  }),
  change: operation({
    method: 'PUT',
    path: '/isocenter/v1/settings/:setting',
    summary: 'Write a setting into the configuration file, for the next start; null brings the default back',
    tag: 'settings',
    permission: 'settings.write',
    params: z.object({ setting: id }),
    body: z.strictObject({ value: z.unknown(), reason: text(500).optional() }),
    answer: setting,
  }),
} as const;

export const worker = z.object({
  id,
  host: z.string(),
  pid: z.int(),
  slots: z.int(),
  startedAt: time,
  heartbeatAt: time,
  running: z.array(z.string()).describe('Ids of jobs'),
});

export const warmModel = z.object({
  model: z.string(),
  sha256: z.string(),
  state: z.enum(['starting', 'idle', 'busy']),
  pid: z.int(),
  residentBytes: z.number(),
  runs: z.int(),
  lastUsedAt: time,
});

export const compute = {
  workers: operation({
    method: 'GET',
    path: '/isocenter/v1/workers',
    summary: 'Workers that are alive, and what they do',
    tag: 'compute',
    permission: 'operations.read',
    answer: z.object({ items: z.array(worker) }),
  }),
  models: operation({
    method: 'GET',
    path: '/isocenter/v1/compute',
    summary: 'Warm models of this server and the memory they hold',
    tag: 'compute',
    permission: 'operations.read',
    answer: z.object({ items: z.array(warmModel), residentBytes: z.number() }),
  }),
} as const;

export const operations = {
  selfTest: operation({
    method: 'POST',
    path: '/isocenter/v1/self-test',
    summary: 'A synthetic patient through the real queue: contours out, compared, cleaned up',
    tag: 'operations',
    permission: 'operations.run',
    answer: z.object({
      passed: z.boolean(),
      seconds: z.number(),
      job: z.string().optional(),
      checks: z.array(z.object({ check: z.string(), passed: z.boolean(), details: z.string().optional() })),
    }),
  }),
  statistics: operation({
    method: 'GET',
    path: '/isocenter/v1/statistics',
    summary: 'Jobs by state, waiting times, models, workers',
    tag: 'operations',
    permission: 'operations.read',
    answer: z.object({
      jobs: z.object({ byState: z.record(z.string(), z.int()), oldestQueuedSeconds: z.number() }),
      models: z.object({ active: z.int(), retired: z.int() }),
      workers: z.int(),
      warmModels: z.int(),
      feedback: z.object({ total: z.int(), accepted: z.int() }),
      studies: z.object({ total: z.int(), bytes: z.number() }),
    }),
  }),
} as const;
