/**
 * One HTTP application: Fastify with our border around every route. Several of them (ports) share one context. The way
 * of a request: path and host → too many connections? → who calls, may they → handler → problem document.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Actor } from '../accounts/actor.js';
import { allowedNetworks } from '../accounts/networks.js';
import { ANONYMOUS, authenticator } from './authentication.js';
import { hasBody, holdBody, isHeld } from './body.js';
import { checkRequest } from './check-request.js';
import { answerClientError } from './client-errors.js';
import { ConnectionCount } from './connections.js';
import type { HttpContext, RequestSpan } from './context.js';
import { HttpError } from './http-error.js';
import type { Described } from './implement.js';
import { linger } from './linger.js';
import { answerNotFound } from './not-found.js';
import { keepRoutesTable } from './routes-table.js';
import { allowOrigin, setSecurityHeaders } from './security-headers.js';
import { sendProblem } from './send-problem.js';
import { StalledAnswers } from './stalled-answers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; on public routes an actor that may do nothing. */
    actor: Actor;
  }
  interface FastifyInstance {
    readonly context: HttpContext;
    /** Operations that were implemented here, for the OpenAPI document. */
    readonly operations: readonly Described[];
    describe(operation: Described): void;
    /** Whether whoever sent the request may still have its answer. Throws as the route did at first. */
    askAgain(request: FastifyRequest): Promise<void>;
  }
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;
/** Timeouts of headers are checked this often. */
const CHECK_MS = 2_000;
const LONGEST_PARAMETER = 512;
/** As nginx has it: the client went before there was an answer. */
const CLIENT_WENT = 499;
const FAULT = 500;

/**
 * Our schemas are checked by implement.ts, so no route has one of Fastify's. Without this it would load its compilers for them
 * at each start: a tenth of the time.
 */
function noCompiler(): never {
  throw new TypeError('A route has a schema of Fastify; implement() is the way');
}

export function createApp(context: HttpContext): FastifyInstance {
  const { limits, settings } = context;
  const app = Fastify({
    logger: false,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    requestIdHeader: false,
    genReqId: requestIdOf(context),
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    bodyLimit: limits.jsonBytes,
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    keepAliveTimeout: limits.idleMs,
    requestTimeout: 0,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersMs),
    },
    clientErrorHandler: answerClientError,
    // Addresses that the router cannot read come here and past all hooks.
    frameworkErrors: (error, unrouted, answer) => {
      const [request, reply] = [unrouted as FastifyRequest, answer as FastifyReply];
      request.actor = ANONYMOUS;
      watchRequest(context, request, reply);
      setSecurityHeaders(request, reply);
      reply.header('x-request-id', request.id);
      sendProblem(context, request, reply, error);
    },
  });
  keepRoutesTable(app);
  const operations: Described[] = [];
  app.decorate('context', context);
  app.decorate('operations', operations as readonly Described[]);
  app.decorate('describe', (operation: Described) => {
    operations.push(operation);
  });
  app.decorateRequest('actor', null as unknown as Actor);
  // Bodies are read by body.ts alone, so Fastify's own readers go.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.server.on('checkContinue', (raw, response) => {
    holdBody(raw, response);
    app.server.emit('request', raw, response);
  });
  guard(app, context);
  app.setErrorHandler((error, request, reply) => sendProblem(context, request, reply, error));
  app.setNotFoundHandler(answerNotFound(app));
  return app;
}

/** The hook before every route, also before the one that finds nothing. */
function guard(app: FastifyInstance, context: HttpContext): void {
  const { drain, limits, settings } = context;
  const authenticate = authenticator(context);
  const connections = new ConnectionCount(app.server, limits);
  const stalled = new StalledAnswers(app.server, limits.stallMs);
  app.decorate('askAgain', async (request: FastifyRequest) => {
    const now = await authenticate(request, request.routeOptions.config.access ?? 'public', true);
    const { actor } = request;
    // Demoted: the answer was begun for somebody who might see more.
    if (now.id !== actor.id || now.role !== actor.role || String(now.scopes) !== String(actor.scopes))
      throw new HttpError('forbidden', 'What this account or key may do was changed meanwhile', {
        next: 'Ask again.',
      });
  });
  app.addHook('onRequest', (request, reply, done) => {
    request.actor = ANONYMOUS;
    const { config } = request.routeOptions;
    const span = watchRequest(context, request, reply, stalled);
    setSecurityHeaders(request, reply);
    reply.header('x-request-id', request.id);
    if (drain.draining) reply.header('connection', 'close');
    try {
      checkRequest(request, context);
      if (connections.tooMany && config.always !== true) throw tooManyConnections(context);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (settings.corsOrigins.length > 0 && allowOrigin(request, reply, settings)) return;
    authenticate(request, config.access ?? 'public').then(
      (actor) => {
        request.actor = actor;
        if (span === undefined) done();
        else span.run(done);
      },
      (error) => done(error),
    );
  });
}

/** Counts, logs and measures the request once, when its answer is out or its connection is gone. */
function watchRequest(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  stalled?: StalledAnswers,
): RequestSpan | undefined {
  const { drain, metrics, limits, tracing } = context;
  const started = performance.now();
  const { method } = request;
  const route = request.routeOptions.url ?? '(none)';
  const span = tracing?.start(method, route, request.headers);
  drain.enter();
  stalled?.begin(reply.raw);
  let over = false;
  const end = (status: number): void => {
    if (over) return;
    over = true;
    drain.leave();
    stalled?.end(reply.raw);
    const seconds = (performance.now() - started) / 1000;
    metrics?.request(method, route, status, seconds);
    span?.end(status);
    logRequest(context, request, route, status, seconds);
    if (hasBody(request.raw)) linger(request.raw, limits);
  };
  reply.raw.once('finish', () => end(reply.raw.statusCode));
  reply.raw.once('close', () => end(CLIENT_WENT));
  // Who waits for `100 Continue` and gets a refusal instead may or may not send the body: only a new connection is clear.
  if (isHeld(request.raw)) reply.header('connection', 'close');
  return span;
}

function logRequest(
  { log }: HttpContext,
  request: FastifyRequest,
  route: string,
  status: number,
  seconds: number,
): void {
  const { id: requestId, method, actor } = request;
  const fields = { requestId, method, route, status, ms: Math.round(seconds * 1e4) / 10, actor: actor.id };
  if (status >= FAULT) log.warn(fields, 'request');
  // Probes come every second and say nothing.
  else if (request.routeOptions.config.always === true) log.debug(fields, 'request');
  else log.info(fields, 'request');
}

function tooManyConnections({ metrics }: HttpContext): HttpError {
  metrics?.refused('connections');
  return new HttpError('too-many-connections', 'This server has as many connections as it takes', {
    next: 'Send it again in a few seconds.',
    headers: { connection: 'close' },
  });
}

/** Ours, or what a trusted proxy says. */
function requestIdOf({ settings }: HttpContext): (raw: IncomingMessage) => string {
  if (settings.trustedProxies.length === 0) return () => randomUUID();
  const isProxy = allowedNetworks(settings.trustedProxies);
  return (raw) => {
    const given = raw.headers['x-request-id'];
    if (typeof given === 'string' && REQUEST_ID.test(given) && isProxy(raw.socket.remoteAddress ?? '')) return given;
    return randomUUID();
  };
}
