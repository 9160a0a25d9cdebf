/**
 * Raw bodies as a stream for Blobs.write: streamed, counted, limited, never held in memory, each with a place at the
 * gate. Protocol adapters use it as well as `implement`.
 */
import { Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { bodyOf, declaredBytes, hasBody, tooLarge } from './body.js';
import type { Upload } from './call.js';
import type { HttpContext } from './context.js';
import { HttpError } from './http-error.js';

export interface ReceiveOptions {
  /** After decoding; default HttpLimits.uploadBytes. */
  readonly maximumBytes?: number;
  /** Lower case, without parameters; a `*` behind the slash takes any subtype. */
  readonly contentTypes: readonly string[];
  /** The route takes `Content-Encoding: gzip` (say so in its config, too). */
  readonly gzip?: boolean;
}

export interface ReceivedUpload extends Upload {
  /** Gives the place at the gate back; to be called when the bytes are where they belong, or not wanted. */
  done(): void;
}

/**
 * Opens the body of a request. Throws HttpError `unsupported-media-type`, `empty-body`, `too-large`,
 * `too-many-uploads`; while it is read also `slow-body`, `incomplete-body`, `damaged-encoding`.
 */
export function receiveUpload(context: HttpContext, request: FastifyRequest, options: ReceiveOptions): ReceivedUpload {
  const mediaType = mediaTypeOf(request);
  if (!options.contentTypes.some((type) => fits(type, mediaType)))
    throw new HttpError('unsupported-media-type', 'This address does not take bodies of this type', {
      next: `Send one of: ${options.contentTypes.join(', ')}.`,
    });
  const { raw } = request;
  if (!hasBody(raw)) throw new HttpError('empty-body', 'The request has no body');
  const maximumBytes = options.maximumBytes ?? context.limits.uploadBytes;
  const declared = declaredBytes(raw);
  if ((declared ?? 0) > maximumBytes) throw tooLarge(maximumBytes);
  const done = context.uploads.enter(uploaderOf(request));
  const wire = bodyOf(raw, { limits: context.limits, maximumBytes });
  const zipped = request.headers['content-encoding']?.toLowerCase() === 'gzip';
  return {
    mediaType,
    declaredBytes: zipped ? undefined : declared,
    stream: zipped ? inflate(wire, maximumBytes) : wire,
    done,
  };
}

/** People and keys are known by their account or key, wherever they are; who needs no login, by their address. */
export function uploaderOf({ actor, ip }: Pick<FastifyRequest, 'actor' | 'ip'>): string {
  return actor.kind === 'person' || actor.kind === 'key' ? `${actor.kind} ${actor.id}` : `address ${ip}`;
}

/** Without parameters, lower case; '' when the client says none. */
export function mediaTypeOf(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function fits(wanted: string, given: string): boolean {
  if (wanted === '*/*') return true;
  return wanted.endsWith('/*') ? given.startsWith(wanted.slice(0, -1)) : wanted === given;
}

/** Never more than one chunk of zlib ahead of the reader: a bomb ends at the limit, in flat memory. */
async function* inflate(wire: AsyncIterable<Uint8Array>, maximumBytes: number): AsyncGenerator<Uint8Array> {
  const source = Readable.from(wire, { objectMode: false });
  const gunzip: Transform = source.pipe(createGunzip());
  source.once('error', (error) => gunzip.destroy(error));
  let bytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > maximumBytes) throw tooLarge(maximumBytes);
      yield chunk;
    }
  } catch (error) {
    if (!/^Z_|^ERR_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new HttpError('damaged-encoding', 'The gzip coding of the body is damaged or cut off');
  } finally {
    gunzip.destroy();
    source.destroy();
  }
}
