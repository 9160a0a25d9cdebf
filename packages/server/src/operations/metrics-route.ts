/** GET /metrics: with a key that has operations.read, or from the networks of the door 'metrics'. */
import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';

export const METRICS_DOOR = 'metrics';

export function serveMetrics(app: FastifyInstance, metrics: Metrics): void {
  const access = { permission: 'operations.read', door: METRICS_DOOR } as const;
  app.get('/metrics', { config: { access }, exposeHeadRoute: false }, async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.text();
  });
}
