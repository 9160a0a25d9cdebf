/**
 * An inference request as it arrives (specs/protocols.md 4.2): by position alone, the first part is JSON and the others are
 * bytes for the model. Hashed while it is received; nothing is held but the part that is being read.
 */
import { createHash } from 'node:crypto';
import { boundaryOf, MultipartParser, parseHeaderValue } from '@isocenter/formats';
import { isFailure } from '@isocenter/volume';
import { parseJson } from '../../http/json-body.js';
import { ArterysError } from './arterys-error.js';
import type { Json } from './json-text.js';
import { PartBuffer } from './part-buffer.js';

export interface RequestHead {
  readonly boundary: string;
  /** Of the JSON part. */
  readonly charset: string;
}

export interface ReceivedRequest {
  readonly json: Readonly<Record<string, Json>>;
  /** Parts after the JSON. */
  readonly count: number;
  readonly inputHash: string;
}

export interface ReadLimits {
  readonly parts: number;
  readonly jsonBytes: number;
  readonly partBytes: number;
}

export const DEFAULT_READ_LIMITS: ReadLimits = Object.freeze({
  /** Slices of a long dynamic study. */
  parts: 20_000,
  /** Options of a viewer; a few hundred bytes as a rule. It is parsed on the event loop, where 4 MB take a second. */
  jsonBytes: 256 * 1024,
  /** An enhanced multi-frame object. */
  partBytes: 1024 * 1024 * 1024,
});

const JSON_DEPTH = 64;
/** As Python calls them. */
const CHARSETS: Readonly<Record<string, string>> = { 'latin-1': 'latin1', latin_1: 'latin1', utf_8: 'utf-8' };

/** Throws ArterysError `not-related`, `study-path`, `bad-charset`; MultipartError `bad-boundary`. */
export function readHead(contentType: string | undefined): RequestHead {
  const { value, parameters } = parseHeaderValue(contentType ?? '');
  if (/^application\/json$/i.test(value))
    throw new ArterysError('study-path', 'Images are to be in the request: a path on the server is not taken', {
      where: 'Content-Type',
      next: 'Send multipart/related with the JSON and the DICOM files; leave --request_study_path out.',
    });
  if (!/^multipart\/related$/i.test(value))
    throw new ArterysError('not-related', 'The content type is not multipart/related', {
      where: 'Content-Type',
      next: 'Send Content-Type: multipart/related; boundary=…',
    });
  const charset = (parameters.get('charset') ?? 'utf-8').toLowerCase();
  try {
    new TextDecoder(CHARSETS[charset] ?? charset);
  } catch (cause) {
    throw new ArterysError('bad-charset', 'The charset of the content type is not known', {
      where: 'Content-Type',
      next: 'Leave it out, or name utf-8.',
      cause,
    });
  }
  return { boundary: boundaryOf(contentType ?? ''), charset: CHARSETS[charset] ?? charset };
}

/** Whoever takes the parts. */
export interface PartsTaker {
  /** Bytes that are about to be held in memory, until the taker says otherwise; may throw. */
  hold?(bytes: number): void;
  /** Each part after the JSON as a buffer of its own, in order; the next bytes are read when it is done. */
  take(bytes: Buffer, index: number): void | Promise<void>;
}

/** Throws ArterysError `no-json`, `bad-json`; MultipartError; what the stream and `taker` throw. */
export async function readRequest(
  stream: AsyncIterable<Uint8Array>,
  { boundary, charset }: RequestHead,
  taker: PartsTaker,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Promise<ReceivedRequest> {
  const hash = createHash('sha256');
  const buffer = new PartBuffer();
  let json: Readonly<Record<string, Json>> | undefined;
  let ready: Buffer[] = [];
  let count = 0;
  const parser = new MultipartParser(
    boundary,
    {
      part() {},
      data(bytes) {
        hash.update(bytes);
        // Before it is whole: a hundred clients that never end their part fill the memory, too.
        if (json !== undefined) taker.hold?.(bytes.length);
        buffer.add(bytes);
        if (json === undefined && buffer.length > limits.jsonBytes)
          throw new ArterysError('bad-json', `The JSON is longer than ${limits.jsonBytes} bytes`, { where: 'part 0' });
      },
      partEnd() {
        if (json === undefined) json = parseOptions(buffer.take(), charset);
        else ready.push(buffer.take());
      },
    },
    limits,
  );
  const hand = async () => {
    const parts = ready;
    ready = [];
    for (const bytes of parts) await taker.take(bytes, count++);
  };
  for await (const chunk of stream) {
    parser.push(chunk);
    if (ready.length > 0) await hand();
  }
  parser.end();
  await hand();
  if (json === undefined)
    throw new ArterysError('no-json', 'The request has no parts', {
      next: 'The first part is a JSON object, such as {"studyUID": "…"}; the DICOM files follow.',
    });
  return { json, count, inputHash: hash.digest('hex') };
}

function parseOptions(bytes: Buffer, charset: string): Readonly<Record<string, Json>> {
  let value: unknown;
  try {
    const text = charset === 'utf-8' ? bytes : Buffer.from(new TextDecoder(charset, { fatal: true }).decode(bytes));
    value = parseJson(text, JSON_DEPTH);
  } catch (cause) {
    const why = isFailure(cause) ? cause.message : 'it is not in the charset of the content type';
    throw new ArterysError('bad-json', `The first part is not the JSON of the request: ${why}`, {
      where: 'part 0',
      cause,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, Json>;
  throw new ArterysError('bad-json', 'The JSON of the request is not an object', { where: 'part 0' });
}
