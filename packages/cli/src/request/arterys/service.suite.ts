/**
 * For tests: a service of this protocol on loopback, made of a few lines and none of our multipart code. It keeps what it
 * was sent and answers what the test makes of it.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SentPart {
  readonly head: string;
  readonly body: Buffer;
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly parts: readonly SentPart[];
}

/** A part of an answer; `headers` instead of the two usual ones. */
export interface Piece {
  readonly name?: string;
  readonly type?: string;
  readonly headers?: readonly string[];
  readonly body: Uint8Array;
}

export interface AnswerPlan {
  readonly json?: unknown;
  readonly binaries?: readonly Piece[];
  /** Changes the parts, the hashes among them, after they were made right. */
  readonly pieces?: (pieces: Piece[]) => Piece[];
  /** Changes the body as a whole. */
  readonly bytes?: (body: Buffer, boundary: string) => Buffer;
  readonly contentType?: (boundary: string) => string;
  readonly hashes?: boolean;
}

export const BOUNDARY = 'answer0123456789';

/** The body cut at the boundary, the slow way; the test's own reading of what was sent. */
export function cut(body: Buffer, contentType: string): SentPart[] {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (boundary === undefined) return [];
  const text = body.toString('latin1');
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n');
      return { head: part.slice(2, end), body: Buffer.from(part.slice(end + 4, -2), 'latin1') };
    });
}

export const sha256 = (bodies: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const body of bodies) hash.update(body);
  return hash.digest('hex');
};

/** An answer that keeps every rule, but for what the plan changes. */
export function answerOf(plan: AnswerPlan, received: Received): { contentType: string; body: Buffer } {
  const json = Buffer.from(
    typeof plan.json === 'string' ? plan.json : JSON.stringify(plan.json ?? { protocol_version: '1.0', parts: [] }),
  );
  const first: Piece[] = [{ name: 'json-body', type: 'application/json', body: json }];
  const binaries = (plan.binaries ?? []).map((piece, at) => ({
    name: `elem_${at}`,
    type: 'application/binary',
    ...piece,
  }));
  const parts = [...first, ...binaries];
  const digests = `${sha256(received.parts.map(({ body }) => body))}:${sha256(parts.map(({ body }) => body))}`;
  const hashes = { name: 'hashes', type: 'text/plain', body: Buffer.from(digests) };
  const pieces = (plan.pieces ?? ((same) => same))(plan.hashes === false ? parts : [...parts, hashes]);
  const chunks = pieces.flatMap(({ name, type, headers, body }) => [
    Buffer.from(
      `--${BOUNDARY}\r\n${(headers ?? [`Content-Disposition: form-data; name="${name}"; filename="${name}"`, `Content-Type: ${type}`]).map((line) => `${line}\r\n`).join('')}\r\n`,
    ),
    body,
    Buffer.from('\r\n'),
  ]);
  const body = Buffer.concat([...chunks, Buffer.from(`--${BOUNDARY}--\r\n`)]);
  return {
    contentType: (plan.contentType ?? ((boundary) => `multipart/related; boundary=${boundary}`))(BOUNDARY),
    body: (plan.bytes ?? ((same) => same))(body, BOUNDARY),
  };
}

export interface Service {
  readonly port: number;
  readonly received: Received[];
  /** What the next request is answered. */
  plan: AnswerPlan | ((received: Received, answer: ServerResponse) => AnswerPlan | undefined);
  close(): Promise<void>;
}

export async function startService(): Promise<Service> {
  const received: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const one: Received = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body,
      parts: cut(body, request.headers['content-type'] ?? ''),
    };
    received.push(one);
    const plan = typeof service.plan === 'function' ? service.plan(one, response) : service.plan;
    if (!plan) return;
    const answer = answerOf(plan, one);
    response.writeHead(200, { 'Content-Type': answer.contentType, 'Content-Length': answer.body.length });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const service: Service = {
    port: (server.address() as AddressInfo).port,
    received,
    plan: {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return service;
}
