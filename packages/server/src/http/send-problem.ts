/** Sends an error as a problem document, and logs what is a defect of ours without a word of the request. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { describeDefect } from '../defects/describe-defect.js';
import type { HttpContext } from './context.js';
import { sendPage, wantsPage } from './pages/layout.js';
import { refusedPage } from './pages/problem-pages.js';
import { PROBLEM_TYPE, problemOf } from './problem.js';

/** Here everybody gets problem documents, also browsers. */
const API = '/isocenter/';

export function sendProblem(context: HttpContext, request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const { document, headers, defect } = problemOf(error, request.id);
  if (defect) logDefect(context, request, error);
  if (document.kind === 'slow-body' && document.status === 408) context.metrics?.refused('slow-body');
  if (document.kind === 'too-many-uploads') context.metrics?.refused('uploads');
  if (reply.sent || reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  // What was meant for the answer that did not come.
  for (const name of ['content-length', 'content-range', 'content-disposition', 'etag', 'accept-ranges', 'location'])
    reply.removeHeader(name);
  const refusal = request.routeOptions.config.refuse?.(document, request);
  if (refusal) {
    if (refusal.reason !== undefined) reply.raw.statusMessage = refusal.reason;
    const body = typeof refusal.body === 'string' ? refusal.body : Buffer.from(refusal.body);
    void reply
      .code(refusal.status)
      .headers({ ...headers, ...refusal.headers })
      .header('content-type', refusal.mediaType)
      .send(body);
    return;
  }
  if (request.method === 'GET' && wantsPage(request) && !(request.raw.url ?? '').startsWith(API)) {
    reply.headers(headers);
    sendPage(reply, refusedPage(document.title, document.detail, document.next), document.status);
    return;
  }
  // As a string: problem documents pass no schema of the route.
  void reply.code(document.status).headers(headers).header('content-type', PROBLEM_TYPE).send(JSON.stringify(document));
}

export function logDefect({ log }: HttpContext, request: FastifyRequest, error: unknown): void {
  log.error(
    {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      defect: describeDefect(error),
    },
    'defect',
  );
}
