/**
 * The routes of an Arterys inference service (specs/protocols.md 4.1): /healthcheck, /ping, and inference on each path of
 * `protocols.arterys.routes`, whose answers come from a model of the registry or from a handler's module.
 */
import { isAbsolute, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Reservation } from '../../blobs/disk-space.js';
import { type InferenceRoute, wholeRoute } from '../../configuration/inference-routes.js';
import { RequestCall } from '../../http/request-call.js';
import { receiveUpload } from '../../http/upload.js';
import type { Services } from '../../services/services.js';
import type { Protocol } from '../protocol.js';
import { AnswerThreads } from './answer-threads.js';
import { refuseAsArterys, TEXT } from './errors.js';
import { exchange } from './gateway.js';
import { HandlerAnswering, MemoryBudget } from './handler-route.js';
import { piecesOf } from './messages.js';
import { ModelAnswering } from './model-route.js';
import { DEFAULT_ROUTES } from './outputs.js';
import { readHead } from './read-request.js';
import { RequestAuditor } from './request-auditor.js';
import { PING, READY } from './service-words.js';
import type { LogSink } from './tagged-logger.js';

/** Threads of one handler, and requests that wait for them: the client has a connection open all the time. */
const AT_ONCE = 2;
const WAITING = 16;
const WAIT_MS = 30_000;
const HEAP_MEGABYTES = 2048;
/** Making an answer of masks that are there: inflating and sorting. */
const MASKS_SECONDS = 120;
const BUDGET_BYTES = 2 ** 31;

export const arterys: Protocol = {
  name: 'arterys',
  serve(app, services) {
    const { home, protocols } = services.configuration.values;
    const wish = protocols.arterys;
    const refusal = wish?.mode === 'strict' ? {} : { refuse: refuseAsArterys };
    for (const [url, text] of [
      ['/healthcheck', READY],
      ['/ping', PING],
    ] as const)
      for (const method of ['GET', 'POST'] as const)
        if (!app.hasRoute({ method, url }))
          app.route({
            method,
            url,
            config: { access: 'public', ...refusal },
            handler: (_request, reply) => void reply.header('content-type', TEXT).send(text),
          });
    const masks = new AnswerThreads({ ...LINE, timeMs: MASKS_SECONDS * 1000 });
    const budget = new MemoryBudget(BUDGET_BYTES);
    app.addHook('onClose', () => masks.close());
    const { requestAuditBucket } = services.configuration.values;
    const auditor =
      requestAuditBucket === undefined
        ? undefined
        : new RequestAuditor(requestAuditBucket, (text) => app.context.log.error({ name: 'request_auditor' }, text));
    if (auditor) app.addHook('onClose', () => auditor.close());
    for (const [url, setting] of Object.entries(wish?.routes ?? DEFAULT_ROUTES)) {
      if (app.hasRoute({ method: 'POST', url })) continue;
      const route = wholeRoute(setting);
      const access = { permission: 'jobs.create', door: 'arterys' } as const;
      const answer = answerer({ app, services, route, masks, budget, home, auditor });
      app.route({ method: 'POST', url, config: { access, ...refusal }, handler: answer });
    }
  },
};

const LINE = { atOnce: AT_ONCE, waiting: WAITING, waitMs: WAIT_MS, heapMegabytes: HEAP_MEGABYTES } as const;

interface AnswererParts {
  readonly app: FastifyInstance;
  readonly services: Services;
  readonly route: Exclude<InferenceRoute, string>;
  readonly masks: AnswerThreads;
  readonly budget: MemoryBudget;
  readonly home: string;
  readonly auditor: RequestAuditor | undefined;
}

function answerer({ app, services, route, masks, budget, home, auditor }: AnswererParts) {
  const { context } = app;
  const { handler, model = 'ct-basic', seconds, vendor } = route;
  const module = handler && pathToFileURL(isAbsolute(handler) ? handler : resolve(home, handler)).href;
  const threads = module ? new AnswerThreads({ ...LINE, module, timeMs: seconds * 1000 }) : undefined;
  if (threads) app.addHook('onClose', () => threads.close());
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const contentType = request.headers['content-type'];
    // Before a byte of the body: what cannot be read is told at once.
    readHead(contentType);
    const { actor, id: requestId } = request;
    const { signal } = new RequestCall(context, request, reply, false);
    const upload = receiveUpload(context, request, { contentTypes: ['multipart/related'] });
    const answering = threads
      ? new HandlerAnswering(threads, budget, signal)
      : new ModelAnswering({ services, threads: masks, budget, wish: { ...route, model }, actor, requestId, signal });
    let space: Reservation | undefined;
    try {
      if (!threads) space = await services.temporarySpace.reserve(upload.declaredBytes);
      const stream = space ? space.meter(upload.stream) : upload.stream;
      const written = await exchange({ contentType, stream, log: sinkOf(context.log, requestId) }, answering);
      // As upstream's auditor: which input gave which output, and nothing of either.
      await services.audit.record({
        actor,
        action: 'arterys.answered',
        subject: { kind: 'request', id: requestId },
        details: {
          inputHash: written.inputHash,
          outputHash: written.seal(),
          answeredBy: module ? 'handler' : model,
        },
        requestId,
      });
      auditor?.answered({ inputHash: written.inputHash, outputHash: written.seal(), ...(vendor ? { vendor } : {}) });
      reply.header('content-type', written.contentType).header('content-length', written.length);
      return reply.send(Readable.from(piecesOf(written), { objectMode: false }));
    } finally {
      space?.release();
      upload.done();
      await answering.end();
    }
  };
}

function sinkOf(log: FastifyInstance['context']['log'], requestId: string): LogSink {
  const at = (level: keyof LogSink) => (text: string) => log[level]({ requestId, name: 'gateway' }, text);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
