/** The program of a further process of a handler service (siblings.ts): it accepts nothing, connections are given to it. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Handler } from './handler.js';
import { handlerServer } from './handler-service.js';
import { loadHandler } from './load-handler.js';
import type { FromSibling, SiblingWish, ToSibling } from './siblings.js';
import type { LogLevel, LogSink } from './tagged-logger.js';

const say = (message: FromSibling) => process.connected && process.send!(message);
const at = (level: LogLevel) => (text: string) => void say({ kind: 'log', level, text });
const log: LogSink = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };

/** Connections that came while the handlers were loading. */
const early: Socket[] = [];
const open = new Set<Socket>();
let server: Server | undefined;
let closing = false;

async function start({ modules, maximumBytes, atOnce }: SiblingWish): Promise<void> {
  const loaded = Object.entries(modules).map(async ([path, url]) => [path, await loadHandler(url)] as const);
  const handlers: Record<string, Handler> = Object.fromEntries(await Promise.all(loaded));
  server = handlerServer(handlers, { log, maximumBytes, atOnce });
  server.on('request', (_, response) => response.once('close', () => setImmediate(endIfIdle)));
  for (const socket of early.splice(0)) take(server, socket);
}

function take(by: Server, socket: Socket): void {
  // As an HTTP server has its own: a client may close its side once the request is out.
  socket.allowHalfOpen = true;
  by.emit('connection', socket);
  socket.resume();
}

function endIfIdle(): void {
  if (!closing) return;
  server?.closeIdleConnections();
  if (open.size === 0) process.disconnect();
}

process.on('message', (message: ToSibling, socket?: Socket) => {
  if (message.kind === 'start') return void start(message.wish);
  if (message.kind === 'close') {
    closing = true;
    return endIfIdle();
  }
  // It went while it was on its way.
  if (!socket) return void say({ kind: 'gone' });
  open.add(socket);
  socket.once('close', () => {
    open.delete(socket);
    say({ kind: 'gone' });
    endIfIdle();
  });
  if (server) take(server, socket);
  else early.push(socket);
});
// Nobody is left who would say `close`; and signals to the whole group are for the process that accepts.
process.on('disconnect', () => process.exit(0));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
