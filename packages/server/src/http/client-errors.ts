/** Bytes that are no HTTP request (Node's parser threw): answered on the socket, since there is no request to reply to. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HttpError } from './http-error.js';
import { PROBLEM_TYPE, problemOf } from './problem.js';

const CUT_MS = 1_000;

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const parsed =
    error.code?.startsWith('HPE_') &&
    error.code !== 'HPE_HEADER_OVERFLOW' &&
    error.code !== 'HPE_CHUNK_EXTENSIONS_OVERFLOW';
  const { document, headers } = problemOf(
    parsed ? new HttpError('bad-request', 'This is not a well-formed HTTP/1.1 request') : error,
    randomUUID(),
  );
  const body = JSON.stringify(document);
  const lines = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status] ?? 'Error'}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  // Half-closed first: destroying a socket with unread bytes resets it, and the client would not see the answer.
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), CUT_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}
