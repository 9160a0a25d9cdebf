/**
 * `@isocenter/server/arterys`: handlers on a port of their own, without accounts, database or workers; what upstream's
 * gateway.py is. A handler runs in this process, or in further ones like it: one that hangs or ends its process takes the
 * requests there with it. In `isocenter serve` it has a thread and a time limit.
 */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { availableParallelism } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Handler } from './handler.js';
import { handlerServer } from './handler-service.js';
import { loadHandler } from './load-handler.js';
import { Siblings } from './siblings.js';
import { consoleSink, type LogSink } from './tagged-logger.js';

export type * from './handler.js';
export { readSeries, type SeriesOfParts } from './read-series.js';
export { consoleSink, TaggedLogger } from './tagged-logger.js';

export interface ServeHandlersOptions {
  /** Default 8900, where upstream's container is published; 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1: there is no login. */
  readonly host?: string;
  /** Default: lines on standard output, as upstream's logging.yaml writes them. */
  readonly log?: LogSink;
  /** Largest request; default 1 GiB. */
  readonly maximumBytes?: number;
  /** Requests in memory of one process at the same time; more get 503. Default 16. */
  readonly atOnce?: number;
  /**
   * Processes that answer, this one included. Default: the cores of this machine when every handler is a module, which then
   * may keep nothing that another request needs; else 1. The others start when connections come that keep this one busy.
   */
  readonly processes?: number;
}

export interface ServedHandlers {
  readonly url: string;
  readonly port: number;
  /** Ends when the answers under way are out. */
  close(): Promise<void>;
}

const MAXIMUM_BYTES = 2 ** 30;
const AT_ONCE = 16;

/**
 * `handlers`: by path, such as `/`; functions, or modules (path or file: URL) whose default export is one. Rejects when the port
 * is taken, with ArterysError `bad-route` and TypeError.
 */
export async function serveHandlers(
  handlers: Readonly<Record<string, Handler | string | URL>>,
  options: ServeHandlersOptions = {},
): Promise<ServedHandlers> {
  const { port = 8900, host = '127.0.0.1', log = consoleSink('gateway') } = options;
  const { maximumBytes = MAXIMUM_BYTES, atOnce = AT_ONCE } = options;
  const modules: Record<string, string> = {};
  const functions: Record<string, Handler> = {};
  for (const [path, handler] of Object.entries(handlers)) {
    if (typeof handler !== 'function') modules[path] = hrefOf(handler);
    functions[path] = typeof handler === 'function' ? handler : await loadHandler(hrefOf(handler));
  }
  const shareable = Object.keys(modules).length === Object.keys(functions).length;
  const { processes = shareable ? availableParallelism() : 1 } = options;
  if (processes > 1 && !shareable)
    throw new TypeError('serveHandlers: further processes need handlers that are modules: a path or URL for each');
  const http = handlerServer(functions, { log, maximumBytes, atOnce });
  const siblings = new Siblings(processes - 1, { modules, maximumBytes, atOnce }, log);
  // Paused, so that no byte is read here of a connection that goes on to another process.
  const door = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    if (siblings.place(socket)) return;
    http.emit('connection', socket);
    socket.resume();
  });
  let closed: Promise<unknown> | undefined;
  const closeIdle = () => closed && http.closeIdleConnections();
  http.on('request', (_, response) => response.once('close', () => setImmediate(closeIdle)));
  await listen(door, port, host);
  const { port: taken } = door.address() as AddressInfo;
  return {
    port: taken,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: () => {
      closed ??= Promise.all([new Promise<void>((done) => void door.close(() => done())), siblings.close()]);
      closeIdle();
      return closed.then(() => {});
    },
  };
}

function hrefOf(module: string | URL): string {
  if (module instanceof URL || module.startsWith('file:')) return String(module);
  return pathToFileURL(isAbsolute(module) ? module : resolve(module)).href;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((ready, refuse) => {
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      ready();
    });
  });
}
