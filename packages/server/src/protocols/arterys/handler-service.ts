/** Handlers behind a plain HTTP server, in this process: routes, the gate, and the bytes of an answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isFailure } from '@isocenter/volume';
import { bodyOf } from '../../http/body.js';
import { defaultLimits } from '../../http/limits.js';
import { linger } from '../../http/linger.js';
import { problemOf } from '../../http/problem.js';
import { ArterysError } from './arterys-error.js';
import { checkedAnswer } from './encode-answer.js';
import { refuseAsArterys, TEXT } from './errors.js';
import { exchange, faultText, PartsInMemory } from './gateway.js';
import type { Handler } from './handler.js';
import { piecesOf, type WrittenAnswer } from './messages.js';
import { PING, READY } from './service-words.js';
import type { LogSink } from './tagged-logger.js';

export interface HandlerServiceOptions {
  readonly log: LogSink;
  readonly maximumBytes: number;
  readonly atOnce: number;
}

/** It accepts nothing: connections are given to it by emitting 'connection' (siblings.ts). */
export function handlerServer(
  handlers: Readonly<Record<string, Handler>>,
  { log, maximumBytes, atOnce }: HandlerServiceOptions,
): Server {
  const routes = new Map(Object.entries(handlers));
  const gate = { free: atOnce };
  const server = createServer({ headersTimeout: defaultLimits.headersMs }, (raw, response) => {
    const refuse = (error: unknown) => {
      const { document, headers } = problemOf(error, '');
      const { status, mediaType, body } = refuseAsArterys(document);
      if (response.headersSent) raw.destroy();
      else send(response, status, mediaType, String(body), headers);
    };
    response.on('error', () => {});
    // What is left of a body that was refused early is read and dropped, so that the client sees the answer.
    response.once('finish', () => linger(raw, defaultLimits));
    answer(raw, response, { routes, gate, log, maximumBytes }).catch((error) => {
      if (!isFailure(error)) log.error(`no answer: ${faultText(error)}`);
      refuse(error);
    });
  });
  // Node watches for slow headers and idle connections from this event on, which a server that never listens would not have.
  server.emit('listening');
  return server;
}

interface Parts {
  readonly routes: ReadonlyMap<string, Handler>;
  readonly gate: { free: number };
  readonly log: LogSink;
  readonly maximumBytes: number;
}

async function answer(raw: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  const { routes, gate, log, maximumBytes } = parts;
  const path = (raw.url ?? '/').split('?', 1)[0] ?? '/';
  const fixed = path === '/healthcheck' ? READY : path === '/ping' ? PING : undefined;
  const handler = routes.get(path);
  const allowed = fixed === undefined ? ['POST', 'OPTIONS'] : ['GET', 'HEAD', 'POST', 'OPTIONS'];
  if (fixed === undefined && handler === undefined) return send(response, 404, TEXT, 'no such address');
  const allow = { allow: allowed.join(', ') };
  if (raw.method === 'OPTIONS') return send(response, 200, TEXT, '', allow);
  if (!allowed.includes(raw.method ?? ''))
    return send(response, 405, TEXT, 'this method is not for this address', allow);
  if (fixed !== undefined) return send(response, 200, TEXT, fixed);
  if (gate.free <= 0) throw new ArterysError('busy', 'As many requests as this service takes are being answered');
  gate.free--;
  try {
    const kept = new PartsInMemory();
    const stream = bodyOf(raw, { limits: defaultLimits, maximumBytes });
    const written = await exchange(
      { contentType: raw.headers['content-type'], stream, log },
      {
        take: (bytes) => kept.take(bytes),
        answer: async (received, logger) => {
          const request = kept.request(received, logger);
          return checkedAnswer(await called(handler!, request));
        },
      },
    );
    await sendAnswer(response, written);
  } finally {
    gate.free++;
  }
}

/** What a handler throws is its fault, not the client's: 500; but for images that it cannot refer to (readSeries). */
async function called(handler: Handler, request: Parameters<Handler>[0]): Promise<Awaited<ReturnType<Handler>>> {
  try {
    return await handler(request);
  } catch (cause) {
    if (isFailure(cause) && cause.kind === 'no-images') throw cause;
    throw new ArterysError('handler-failed', 'The handler failed', { cause });
  }
}

async function sendAnswer(response: ServerResponse, written: WrittenAnswer): Promise<void> {
  response.writeHead(200, { 'content-type': written.contentType, 'content-length': written.length });
  response.cork();
  for (const piece of piecesOf(written)) {
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    response.uncork();
    await new Promise<void>((resolve) => {
      const go = () => {
        response.off('drain', go).off('close', go);
        resolve();
      };
      response.on('drain', go).on('close', go);
    });
    response.cork();
  }
  response.uncork();
  response.end();
}

function send(
  response: ServerResponse,
  status: number,
  mediaType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, 'content-type': mediaType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
