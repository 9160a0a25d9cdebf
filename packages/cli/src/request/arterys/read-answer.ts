/** An answer's bytes as parts, with what its envelope looked like for the rules to judge. */
import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { boundaryOf, MultipartError, type PartHeaders, readMultipart } from '@isocenter/formats';
import { isFailure, type Watch } from '@isocenter/volume';
import { RequestError } from './request-error.js';

export interface AnswerPart {
  /** Names in lower case, in the order of the answer. */
  readonly headers: PartHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
  /** Undefined when the content type names none that can be used. */
  readonly boundary: string | undefined;
  readonly parts: readonly AnswerPart[];
  readonly bytes: number;
  /** The first and last bytes of the body, enough for a delimiter line. */
  readonly head: Buffer;
  readonly tail: Buffer;
  /** Why reading ended before the body did. */
  readonly broken: MultipartError | undefined;
}

/** Masks of a study of thousands of slices; more would not be an answer that a viewer takes. */
const MOST_BYTES = 4 * 2 ** 30;
const PART_BYTES = 2 ** 31 - 1;
/** `CRLF--B--CRLF` of the longest boundary, and some more to see what stands behind it. */
const EDGE = 128;
/** Without a Content-Length progress is told as a share of this. */
const USUAL_BYTES = 64 * 2 ** 20;

/** Throws RequestError `answer-too-large` and an AbortError; a body that is broken off is told in `broken`. */
export async function readAnswer(message: IncomingMessage, watch: Watch = {}): Promise<Answer> {
  const contentType = message.headers['content-type'];
  const boundary = contentType === undefined ? undefined : usableBoundary(contentType);
  const edges = { head: Buffer.alloc(0), tail: Buffer.alloc(0), bytes: 0 };
  const source = watched(message, edges, watch);
  const parts: AnswerPart[] = [];
  let broken: MultipartError | undefined;
  try {
    if (boundary === undefined) for await (const _ of source);
    else
      for await (const { headers, body } of readMultipart(source, boundary, { partBytes: PART_BYTES })) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk);
        parts.push({ headers, body: Buffer.concat(chunks) });
      }
    // What stands behind the last delimiter is read as well: it is looked at.
    for await (const _ of source);
  } catch (error) {
    if (watch.signal?.aborted || (isFailure(error) && !(error instanceof MultipartError))) throw error;
    broken =
      error instanceof MultipartError
        ? error
        : new MultipartError('truncated', 'The connection broke off', { cause: error });
  }
  return {
    status: message.statusCode ?? 0,
    contentType,
    contentLength: message.headers['content-length'],
    transferEncoding: message.headers['transfer-encoding'],
    boundary,
    parts,
    ...edges,
    broken,
  };
}

function usableBoundary(contentType: string): string | undefined {
  try {
    return boundaryOf(contentType);
  } catch (error) {
    if (isFailure(error)) return undefined;
    throw error;
  }
}

/** Passes everything on and keeps the edges. */
async function* watched(
  message: IncomingMessage,
  edges: { head: Buffer; tail: Buffer; bytes: number },
  watch: Watch,
): AsyncGenerator<Uint8Array, void, void> {
  const announced = Number(message.headers['content-length'] ?? USUAL_BYTES);
  for await (const chunk of message as AsyncIterable<Buffer>) {
    if (edges.head.length < EDGE) edges.head = Buffer.concat([edges.head, chunk]).subarray(0, EDGE);
    edges.tail = Buffer.concat([edges.tail, chunk.subarray(-EDGE)]).subarray(-EDGE);
    edges.bytes += chunk.length;
    if (edges.bytes > MOST_BYTES)
      throw new RequestError('answer-too-large', `The answer is larger than ${MOST_BYTES} bytes`, {
        next: 'Send fewer images, or answer with fewer masks.',
      });
    watch.progress?.(Math.min(edges.bytes, announced), announced, 'receive');
    yield chunk;
  }
}

/** SHA-256 in hex over bodies one after the other. */
export function digestOf(bodies: Iterable<Uint8Array>): string {
  const hash: Hash = createHash('sha256');
  for (const body of bodies) hash.update(body);
  return hash.digest('hex');
}
