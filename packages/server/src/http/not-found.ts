/** Addresses that no route answers: 404, or 405 and OPTIONS with the methods that the address has. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteEntry } from './access.js';
import { HttpError } from './http-error.js';

export function answerNotFound(app: FastifyInstance): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  let patterns: readonly { readonly pattern: RegExp; readonly method: string }[] | undefined;
  return async (request, reply) => {
    patterns ??= app.routesTable.map(({ method, path }) => ({ method, pattern: patternOf(path) }));
    const path = request.raw.url?.split('?', 1)[0] ?? '/';
    const methods = [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
    if (methods.length === 0)
      throw new HttpError('not-found', 'There is nothing at this address', {
        next: 'GET /isocenter/v1/openapi.json lists all addresses.',
      });
    const allow = [...methods, 'OPTIONS'].join(', ');
    if (request.method === 'OPTIONS') {
      await reply.code(204).header('allow', allow).send();
      return;
    }
    throw new HttpError('method-not-allowed', `This address has only ${allow}`, { headers: { allow } });
  };
}

function patternOf(path: RouteEntry['path']): RegExp {
  const parts = path.split('/').map((part) => {
    if (part === '*') return '.*';
    if (part.startsWith(':')) return '[^/]+';
    return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
