/** Feedback of people about results, telemetry of clients. */
import { api } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import type { StoredFeedback, StoredTelemetry } from '../feedback/statements.js';
import { implement } from '../http/implement.js';
import type { Services } from '../services/services.js';
import { REST, visibleJob } from './job-routes.js';
import { pageView } from './page-view.js';
import { notFound } from './rest-error.js';

export function feedbackRoutes(app: FastifyInstance, parts: Services): void {
  const { statements } = parts;

  implement(app, api.feedback.give, async ({ actor, params, body, requestId }) => {
    const job = await visibleJob(parts, params.job, actor);
    const origin = { actor, protocol: REST, job: job.id, ...(job.model === undefined ? {} : { model: job.model }) };
    return feedbackView(await statements.giveFeedback(origin, body, requestId));
  });

  implement(app, api.feedback.list, async ({ query }) => {
    const { cursor, limit, ...filter } = query;
    const page = await statements.listFeedback(filter, { limit, cursor });
    return pageView(page.items, page.next, feedbackView);
  });

  implement(app, api.feedback.get, async ({ params }) => {
    const found = await statements.feedback(params.feedback);
    if (!found) throw notFound('feedback');
    return feedbackView(found);
  });

  implement(app, api.telemetry.send, async ({ actor, body }) => {
    const { job, model, client, ...fields } = body;
    const origin = {
      actor,
      protocol: REST,
      ...(job === undefined ? {} : { job }),
      ...(model === undefined ? {} : { model }),
      ...(client === undefined ? {} : { client }),
    };
    return telemetryView(await statements.sendTelemetry(origin, fields));
  });

  implement(app, api.telemetry.list, async ({ query }) => {
    const { cursor, limit, ...filter } = query;
    const page = await statements.listTelemetry(filter, { limit, cursor });
    return pageView(page.items, page.next, telemetryView);
  });
}

function feedbackView({ createdAt, structures, ...rest }: StoredFeedback) {
  return { ...rest, structures: [...structures], createdAt: createdAt.toISOString() };
}

function telemetryView({ createdAt, ...rest }: StoredTelemetry) {
  return { ...rest, createdAt: createdAt.toISOString() };
}
