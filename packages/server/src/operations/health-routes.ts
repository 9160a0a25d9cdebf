/** /health/live: the process answers. /health/ready: it can work; load balancers send it requests only then. */
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './readiness.js';

export function serveHealth(app: FastifyInstance, readiness: Readiness): void {
  const always = { config: { access: 'public', always: true } } as const;
  app.get('/health/live', always, (_request, reply) => {
    void reply.send({ status: 'live' });
  });
  app.get('/health/ready', always, async (_request, reply) => {
    const reasons = await readiness.reasons();
    if (reasons.length === 0) return { status: 'ready' };
    reply.code(503);
    return { status: 'not-ready', reasons };
  });
}
