/** Headers that every answer has, what helmet would set for an API; pages replace the content policy by their own. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpSettings } from './context.js';

const ALWAYS = Object.freeze({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
});

const HTTPS_SECONDS = 365 * 24 * 3600;
const PREFLIGHT_SECONDS = 600;

export function setSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(ALWAYS);
  if (request.protocol === 'https') reply.header('strict-transport-security', `max-age=${HTTPS_SECONDS}`);
}

/**
 * Lets web pages of the named origins call us with an API key (never with cookies). True when the request was a
 * preflight, which is answered.
 */
export function allowOrigin(request: FastifyRequest, reply: FastifyReply, settings: HttpSettings): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !settings.corsOrigins.includes(origin)) return false;
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'location, retry-after, x-request-id, etag, content-disposition',
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  });
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  reply.headers({
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': 'authorization, content-type, idempotency-key, range, if-none-match',
    'access-control-max-age': String(PREFLIGHT_SECONDS),
  });
  void reply.code(204).send();
  return true;
}
