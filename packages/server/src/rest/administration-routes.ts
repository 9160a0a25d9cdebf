/** What administrators look at and turn: audit, settings, workers and compute, self-test, statistics. */
import { createHash } from 'node:crypto';
import { api } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import type { ChainedEntry } from '../audit/audit-trail.js';
import { implement } from '../http/implement.js';
import type { Services } from '../services/services.js';
import { warmView } from './model-routes.js';
import { pageView } from './page-view.js';
import { selfTest } from './self-test.js';
import { SettingsFile } from './settings-file.js';

/** Of a setting in the audit log; quoted, each character may become six, and an entry takes 4 KB. */
const LONGEST_VALUE = 600;
/** Models of one page when they are counted. */
const COUNTED_AT_ONCE = 500;

export function administrationRoutes(app: FastifyInstance, parts: Services): void {
  const { audit, compute, jobs, statements, studies } = parts;
  const settings = new SettingsFile(parts.configuration);

  implement(app, api.audit.list, async ({ query }) => {
    const { cursor, limit, action, actor, subject, after, before } = query;
    const page = await audit.list(
      {
        action,
        actorId: actor,
        subjectId: subject,
        after: after === undefined ? undefined : new Date(after),
        before: before === undefined ? undefined : new Date(before),
      },
      { limit, cursor },
    );
    return pageView(page.entries, page.next, entryView);
  });

  implement(
    app,
    api.audit.verify,
    async ({ body, signal }) => {
      const { checked, anchor, problem } = await audit.verify({
        signal,
        ...(body.anchor === undefined ? {} : { anchor: body.anchor }),
      });
      return {
        intact: problem === undefined,
        checked,
        ...(anchor === undefined ? {} : { anchor }),
        ...(problem === undefined ? {} : { problem }),
      };
    },
    { optionalBody: true },
  );

  implement(app, api.settings.list, async () => ({ items: [...(await settings.list())] }));

  implement(app, api.settings.get, async ({ params }) => settings.get(params.setting));

  implement(app, api.settings.change, async ({ actor, params, body, requestId }) => {
    return settings.change(params.setting, body.value, () =>
      audit.record({
        actor,
        action: 'setting.changed',
        subject: { kind: 'setting', id: params.setting },
        ...(body.reason === undefined ? {} : { reason: body.reason }),
        details: valueDetails(body.value ?? null),
        requestId,
      }),
    );
  });

  implement(app, api.compute.workers, async () => ({
    items: (await jobs.workers()).map(({ startedAt, heartbeatAt, running, ...rest }) => ({
      ...rest,
      running: [...running],
      startedAt: startedAt.toISOString(),
      heartbeatAt: heartbeatAt.toISOString(),
    })),
  }));

  implement(app, api.compute.models, async () => {
    const items = compute.models().map(warmView);
    return { items, residentBytes: items.reduce((sum, { residentBytes }) => sum + residentBytes, 0) };
  });

  implement(app, api.operations.selfTest, async ({ actor, signal }) => {
    const result = await selfTest(parts, actor, signal);
    return { ...result, checks: [...result.checks] };
  });

  implement(app, api.operations.statistics, async () => {
    const { byState, oldestQueuedSeconds } = await jobs.statistics();
    return {
      jobs: { byState: { ...byState }, oldestQueuedSeconds },
      models: await modelCounts(parts),
      workers: (await jobs.workers()).length,
      warmModels: compute.models().length,
      feedback: await statements.statistics(),
      studies: await studies.statistics(),
    };
  });
}

/** The value itself, or its beginning and its hash where an entry cannot hold all of it. */
function valueDetails(value: unknown) {
  const text = JSON.stringify(value);
  if (text.length <= LONGEST_VALUE) return { value: text };
  return {
    value: text.slice(0, LONGEST_VALUE),
    characters: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
  };
}

async function modelCounts({ registry }: Services): Promise<{ active: number; retired: number }> {
  const counts = { active: 0, retired: 0 };
  for (let cursor: string | undefined; ; ) {
    const page = await registry.versions({ limit: COUNTED_AT_ONCE, cursor });
    for (const { state } of page.versions) counts[state]++;
    if (page.next === undefined) return counts;
    cursor = page.next;
  }
}

function entryView(entry: ChainedEntry) {
  return {
    seq: entry.seq,
    at: entry.at.toISOString(),
    actor: { kind: entry.actorKind, id: entry.actorId, name: entry.actorName },
    action: entry.action,
    subject: { kind: entry.subjectKind, id: entry.subjectId },
    ...(entry.reason === undefined ? {} : { reason: entry.reason }),
    ...(entry.details === undefined ? {} : { details: JSON.parse(entry.details) as Record<string, unknown> }),
    ...(entry.requestId === undefined ? {} : { requestId: entry.requestId }),
    hash: Buffer.from(entry.hash).toString('hex'),
  };
}
