/** Registers an operation of @isocenter/client: what comes in and what goes out passes its schemas, and nothing else does. */
import type { Binary, Events, Operation } from '@isocenter/client';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { hasBody, readBody } from './body.js';
import type { Call, FileAnswer, Given, ImplementOptions, Wanted } from './call.js';
import type { HttpContext } from './context.js';
import { openFile } from './file-answer.js';
import { HttpError } from './http-error.js';
import { parseJson } from './json-body.js';
import { problemOf } from './problem.js';
import { RequestCall } from './request-call.js';
import { logDefect, sendProblem } from './send-problem.js';
import { EVENT_STREAM, eventStream } from './sse.js';
import { mediaTypeOf, receiveUpload } from './upload.js';
import { validate } from './validation.js';

type BodyShape = z.ZodType | Binary;
type AnswerShape = z.ZodType | Binary | Events;

/** An operation when its types no longer matter. */
export type Described = Operation;

/**
 * The handler gets parsed values and returns what the answer's schema describes; it throws Failures. It may rely on the
 * actor having the operation's permission, not on owning what the parameters name.
 */
export function implement<P extends z.ZodType, Q extends z.ZodType, B extends BodyShape, A extends AnswerShape>(
  app: FastifyInstance,
  operation: Operation<P, Q, B, A>,
  handler: (call: Call<Given<P>, Given<Q>, Given<B>>) => Promise<Wanted<A>>,
  options: ImplementOptions = {},
): void {
  const described = operation as unknown as Described;
  const form = formOf(described);
  app.describe(described);
  app.route({
    // Fastify's own HEAD would say that a file has no bytes, and start an event stream for nothing.
    method: operation.method === 'GET' && form === 'binary' ? ['GET', 'HEAD'] : operation.method,
    url: operation.path,
    exposeHeadRoute: operation.method === 'GET' && form === 'json',
    config: { access: operation.permission, gzip: options.gzip ?? false },
    handler: (request, reply) => {
      const call = new RequestCall(app.context, request, reply, form === 'events');
      const answering = async (): Promise<unknown> => {
        const upload = await readInto(call, described, options);
        try {
          const given = await handler(call as unknown as Call<Given<P>, Given<Q>, Given<B>>);
          return await payloadOf(app, described, call, given);
        } finally {
          upload?.done();
        }
      };
      answering().then(
        (payload) => void reply.send(payload),
        (error) => sendProblem(app.context, request, reply, error),
      );
    },
  });
}

function formOf({ answer }: Described): 'json' | Binary['kind'] | Events['kind'] {
  return answer !== undefined && 'kind' in answer ? answer.kind : 'json';
}

/** Fills the call from the request; gives back what holds a place at the gate. */
async function readInto(
  call: RequestCall,
  { params, query, body }: Described,
  options: ImplementOptions,
): Promise<{ done(): void } | undefined> {
  const { request } = call;
  if (params !== undefined) call.params = validate(params, request.params, 'path');
  if (query !== undefined) call.query = validate(query, request.query, 'query');
  if (body === undefined) return undefined;
  if (!('kind' in body)) {
    call.body = validate(body, await jsonOf(call.context, request, options), 'body');
    return undefined;
  }
  if (options.optionalBody === true && !hasBody(request.raw)) return undefined;
  const upload = receiveUpload(call.context, request, {
    contentTypes: body.mediaTypes,
    ...(options.maximumBytes === undefined ? {} : { maximumBytes: options.maximumBytes }),
  });
  call.body = upload;
  return upload;
}

const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json$/;

async function jsonOf({ limits }: HttpContext, request: FastifyRequest, options: ImplementOptions): Promise<unknown> {
  if (!hasBody(request.raw)) {
    if (options.optionalBody === true) return {};
    throw new HttpError('empty-body', 'The request has no body', { next: 'Send JSON.' });
  }
  if (!JSON_TYPE.test(mediaTypeOf(request)))
    throw new HttpError('unsupported-media-type', 'This address takes JSON', {
      next: 'Send Content-Type: application/json.',
    });
  const bytes = await readBody(request.raw, {
    limits,
    maximumBytes: options.jsonBytes ?? limits.jsonBytes,
    deadlineMs: limits.bodyMs,
  });
  return parseJson(bytes, limits.jsonDepth);
}

/** Sets status and headers; gives what Fastify is to send: text, a stream or nothing. */
async function payloadOf(
  app: FastifyInstance,
  operation: Described,
  call: RequestCall,
  given: unknown,
): Promise<unknown> {
  const { context } = app;
  const { answer, status } = operation;
  const { request, reply } = call;
  if (answer === undefined) {
    reply.code(status ?? 204);
    return undefined;
  }
  if (!('kind' in answer)) {
    reply.code(status ?? 200).header('content-type', 'application/json; charset=utf-8');
    return encoded(answer, given, operation);
  }
  if (answer.kind === 'binary') return openFile(request, reply, given as FileAnswer, status ?? 200);
  reply.code(200).header('content-type', EVENT_STREAM).header('x-accel-buffering', 'no');
  return eventStream(given as AsyncIterable<unknown>, {
    heartbeatMs: context.limits.heartbeatMs,
    signal: call.signal,
    check: () => app.askAgain(request),
    encode: (value) => encoded(answer.event, value, operation),
    problem: (error) => problemText(context, request, error),
  });
}

/** A stream that fails has its headers out already: the error is its last event. */
function problemText(context: HttpContext, request: FastifyRequest, error: unknown): string {
  const { document, defect } = problemOf(error, request.id);
  if (defect) logDefect(context, request, error);
  return JSON.stringify(document);
}

/** Only what the schema names; an answer that does not fit is a defect of ours, told without the values. */
function encoded(schema: z.ZodType, value: unknown, { method, path }: Described): string {
  const result = z.safeEncode(schema, value);
  if (result.success) return JSON.stringify(result.data);
  const fields = result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.code}`).join(', ');
  throw new TypeError(`The answer of ${method} ${path} does not fit its schema: ${fields}`);
}
