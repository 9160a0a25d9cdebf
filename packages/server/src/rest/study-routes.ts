/** Studies: uploaded once, looked at, used by several jobs, erased. */
import { api, type CallAnswer } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import { implement } from '../http/implement.js';
import type { Services } from '../services/services.js';
import type { Study } from '../studies/studies.js';
import { pageView } from './page-view.js';
import { notFound } from './rest-error.js';

export function studyRoutes(app: FastifyInstance, parts: Services): void {
  const { studies, registry } = parts;

  implement(app, api.studies.add, async (call) => {
    const { body, actor, signal, requestId } = call;
    const study = await studies.add(body.stream, actor, { signal, requestId });
    call.header('location', `/isocenter/v1/studies/${study.id}`);
    return studyView(study);
  });

  implement(app, api.studies.list, async ({ actor, query }) => {
    const { cursor, limit } = query;
    const page = await studies.list({ limit, cursor }, actor);
    return pageView(page.items, page.next, studyView);
  });

  implement(app, api.studies.get, async ({ actor, params }) => studyView(await studies.get(params.study, actor)));

  implement(app, api.studies.inspect, async ({ actor, params, query, signal }) => {
    // The study first: who may not see it learns nothing about models either.
    await studies.get(params.study, actor);
    const version = query.model === undefined ? undefined : await registry.version(query.model);
    if (query.model !== undefined && !version) throw notFound('model', 'GET /isocenter/v1/models lists them.');
    const model = version && (await registry.materialise(version.id, signal));
    const inspection = await studies.inspect(params.study, actor, {
      signal,
      ...(model ? { modelFolder: model.folder } : {}),
    });
    return mutable(inspection);
  });

  implement(app, api.studies.remove, async ({ actor, params, requestId }) => {
    await studies.remove(params.study, actor, requestId);
    return undefined;
  });
}

function studyView(study: Study) {
  const { blobId: _, createdAt, expiresAt, ...rest } = study;
  return { ...rest, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}

type InspectionView = Awaited<CallAnswer<typeof api.studies.inspect>>;

/** The schema's type has arrays that may be changed; ours may not, and nobody does. */
function mutable(inspection: unknown): InspectionView {
  return inspection as InspectionView;
}
