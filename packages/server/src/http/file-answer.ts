/** Answers of bytes: HEAD, one range (RFC 9110 §14), validators (§13) and the name to save as. */
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FileAnswer } from './call.js';
import { HttpError } from './http-error.js';

export interface Range {
  readonly first: number;
  readonly last: number;
}

/** Sets status and headers; undefined when no bytes are wanted (HEAD, 304). Throws HttpError `range`. */
export async function openFile(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: FileAnswer,
  status: number,
): Promise<Readable | undefined> {
  let stream: Readable | undefined;
  try {
    stream = await openWanted(request, reply, answer, status);
  } finally {
    if (stream === undefined) answer.dismiss?.();
  }
  return stream;
}

async function openWanted(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: FileAnswer,
  status: number,
): Promise<Readable | undefined> {
  const etag = answer.sha256 === undefined ? undefined : `"${answer.sha256}"`;
  reply.header('accept-ranges', 'bytes');
  if (etag !== undefined) reply.header('etag', etag);
  if (etag !== undefined && matches(request.headers['if-none-match'], etag)) {
    reply.code(304);
    return undefined;
  }
  reply.type(answer.mediaType);
  if (answer.fileName !== undefined) reply.header('content-disposition', dispositionOf(answer.fileName));
  const range = wantedRange(request, answer.bytes, etag);
  if (range === undefined) reply.code(status).header('content-length', answer.bytes);
  else
    reply
      .code(206)
      .header('content-range', `bytes ${range.first}-${range.last}/${answer.bytes}`)
      .header('content-length', range.last - range.first + 1);
  if (request.method === 'HEAD') return undefined;
  return answer.open(range);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((given) => given.trim() === '*' || given.trim().replace(/^W\//, '') === etag);
}

/** Undefined: all of it. Several ranges, other units and an outdated If-Range count as none, as §14.2 allows. */
function wantedRange(request: FastifyRequest, bytes: number, etag: string | undefined): Range | undefined {
  const { range } = request.headers;
  const condition = request.headers['if-range'];
  if (range === undefined || (condition !== undefined && condition !== etag)) return undefined;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [from, to] = [match[1] as string, match[2] as string];
  const first = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (first >= bytes || first > last)
    throw new HttpError('range', 'The file does not have these bytes', {
      headers: { 'content-range': `bytes */${bytes}` },
    });
  return { first, last };
}

/** RFC 6266, with RFC 8187 for names beyond ASCII. */
function dispositionOf(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9 ._-]/g, '_');
  const coded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"${plain === name ? '' : `; filename*=UTF-8''${coded}`}`;
}
