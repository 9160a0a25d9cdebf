/**
 * The typed client: `createClient({ url, key }).jobs.create({ model: 'ct-basic', body })`. One function per operation, made
 * from the same data that the server validates with. Works where `fetch` does: browsers and Node 20.
 */
import type { z } from 'zod';
import type { Operation } from '../operation.js';
import { type Api, api } from '../operations/all.js';
import type { CallOptions, ClientOf } from './call-types.js';
import { downloadOf } from './download.js';
import { ProblemError, problemOf, toldProblem } from './problem-error.js';
import { prepareRequest } from './request.js';
import { serverSentEvents } from './server-sent-events.js';

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8042`; in a page of the server itself: `''`. */
  readonly url: string;
  /** API key; without it the session cookie of a browser is used. */
  readonly key?: string;
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch;
  /** First wait before a broken event stream is opened again; doubles up to 32 times this. Default 500 ms. */
  readonly reconnectMs?: number;
}

export type Client = ClientOf<Api>;

const FIRST_RECONNECT_MS = 500;
const MOST_DOUBLINGS = 5;

export function createClient(options: ClientOptions): Client {
  const areas = Object.entries(api).map(([area, operations]) => [
    area,
    Object.fromEntries(
      Object.entries(operations as Record<string, Operation>).map(([name, operation]) => [
        name,
        (input: Record<string, unknown> = {}, call: CallOptions = {}) => perform(options, operation, input, call),
      ]),
    ),
  ]);
  return Object.fromEntries(areas) as Client;
}

function perform(
  options: ClientOptions,
  operation: Operation,
  input: Record<string, unknown>,
  call: CallOptions,
): Promise<unknown> | AsyncIterable<unknown> {
  const { answer } = operation;
  if (answer && 'kind' in answer && answer.kind === 'events')
    return follow(options, operation, answer.event, input, call);
  return send(options, operation, input, call).then(async (response) => {
    if (!answer) return response.body?.cancel();
    if ('kind' in answer) return downloadOf(response);
    return checked(answer, await response.json().catch(() => undefined), response.status);
  });
}

/** Throws ProblemError for every answer that is no success. */
async function send(
  { url, key, fetch = globalThis.fetch }: ClientOptions,
  operation: Operation,
  input: Record<string, unknown>,
  call: CallOptions,
  lastEventId?: string,
): Promise<Response> {
  const { path, init } = prepareRequest(operation, input, call);
  const headers = init.headers as Headers;
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
  if (lastEventId !== undefined) headers.set('last-event-id', lastEventId);
  let response: Response;
  try {
    // With a key no cookie is sent: a request has one identity.
    response = await fetch(`${url.replace(/\/$/, '')}${path}`, { ...init, credentials: key ? 'omit' : 'same-origin' });
  } catch (error) {
    if (call.signal?.aborted) throw call.signal.reason;
    throw new ProblemError(
      {
        status: 0,
        kind: 'unreachable',
        message: 'The server gives no answer',
        where: url,
        next: 'Check the address, and that the server runs.',
      },
      { cause: error },
    );
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/**
 * Events until the server says `end`. A stream that breaks before, or a server that restarts, is asked again with the last
 * event's id; a refusal (4xx) ends the iteration with its ProblemError.
 */
async function* follow(
  options: ClientOptions,
  operation: Operation,
  schema: z.ZodType,
  input: Record<string, unknown>,
  call: CallOptions,
): AsyncGenerator<unknown> {
  let lastEventId: string | undefined;
  for (let failures = 0; ; failures++) {
    if (failures > 0) {
      const first = options.reconnectMs ?? FIRST_RECONNECT_MS;
      await pause(first * 2 ** Math.min(failures - 1, MOST_DOUBLINGS), call.signal);
    }
    try {
      const response = await send(options, operation, input, call, lastEventId);
      if (!response.body) continue;
      for await (const { event, data, id } of serverSentEvents(response.body)) {
        if (event === 'end') return;
        if (event === 'error') throw toldProblem(JSON.parse(data)) ?? new TypeError('the stream told an error');
        lastEventId = id ?? lastEventId;
        yield checked(schema, JSON.parse(data), response.status);
        failures = 0;
      }
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      if (!mayPass(error)) throw error;
    }
  }
}

/** Broken connections, overload and restarts pass; refusals and wrong answers do not. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return error instanceof TypeError || isNetworkError(error);
  return error.kind === 'unreachable' || error.status === 429 || error.status >= 500;
}

/** undici tells a connection that breaks inside a body as an error with a code. */
function isNetworkError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NetworkError' || 'code' in error || error.message === 'terminated');
}

function checked(schema: z.ZodType, value: unknown, status: number): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ProblemError(
    {
      status,
      kind: 'unexpected-answer',
      message: 'The answer is not what this version of the client expects',
      where: result.error.issues[0]?.path.join('.'),
      next: 'Use the client of the same version as the server.',
    },
    { cause: result.error },
  );
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
  });
}
