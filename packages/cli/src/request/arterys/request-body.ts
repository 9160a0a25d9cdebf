/**
 * The body of a request (multipart/related: JSON, attachments, images), read from disk one file at a time while it is sent.
 * Its length is known before, its digest (all bodies without headers) after.
 */
import { createHash } from 'node:crypto';
import { type ByteSource, newBoundary, quoted } from '@isocenter/formats';
import type { Watch } from '@isocenter/volume';
import type { InputImage } from './input-images.js';
import { RequestInputError } from './request-error.js';

export interface RequestBody {
  readonly contentType: string;
  readonly length: number;
  /** To be run through once. */
  chunks(watch?: Watch): AsyncGenerator<Uint8Array, void, void>;
  /** SHA-256 of what `chunks` has sent of the parts, in hex; undefined where the form has no parts. */
  digest(): string | undefined;
}

interface Part {
  readonly headers: string;
  readonly size: number;
  read(): Promise<Uint8Array>;
}

/** JSON with blanks behind `:` and `,` and nothing but ASCII, as services of this protocol are used to. `fields` in their order. */
export function requestJson(fields: Readonly<Record<string, string | number>>): string {
  const text = Object.entries(fields).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{${text.join(', ')}}`.replace(/[\u007f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Only JSON: for services that read the study from a path of their own. */
export function jsonBody(json: string): RequestBody {
  const bytes = Buffer.from(json, 'latin1');
  return {
    contentType: 'application/json',
    length: bytes.length,
    async *chunks() {
      yield bytes;
    },
    digest: () => undefined,
  };
}

export function multipartBody(
  json: string,
  attachments: readonly ByteSource[],
  images: readonly InputImage[],
  boundary = newBoundary(),
): RequestBody {
  const parts: Part[] = [inMemory('request_json', 'request', 'text/json', Buffer.from(json, 'latin1'))];
  for (const file of attachments) parts.push(onDisk(parts.length, file, 'application/octet-stream'));
  for (const { source } of images) parts.push(onDisk(parts.length, source, 'application/dicom'));
  const framed = parts.map((part) => ({ ...part, head: Buffer.from(`--${boundary}\r\n${part.headers}\r\n\r\n`) }));
  const end = Buffer.from(`--${boundary}--\r\n`);
  const LINE_END = Buffer.from('\r\n');
  const hash = createHash('sha256');
  const length = framed.reduce((sum, { head, size }) => sum + head.length + size + LINE_END.length, end.length);
  return {
    contentType: `multipart/related; boundary="${boundary}"`,
    length,
    async *chunks(watch) {
      let done = 0;
      for (const { head, size, read } of framed) {
        watch?.signal?.throwIfAborted();
        yield head;
        const bytes = await read();
        if (bytes.length !== size) throw changed();
        hash.update(bytes);
        for (let at = 0; at < bytes.length; at += CHUNK) {
          yield bytes.subarray(at, at + CHUNK);
          watch?.progress?.(done + Math.min(at + CHUNK, bytes.length), length, 'send');
        }
        yield LINE_END;
        done += head.length + size + LINE_END.length;
      }
      yield end;
    },
    digest: () => hash.copy().digest('hex'),
  };
}

/** Small enough that progress moves while one large file is sent. */
const CHUNK = 256 * 1024;

function inMemory(name: string, fileName: string, type: string, bytes: Uint8Array): Part {
  return { headers: headersOf(name, fileName, type), size: bytes.length, read: async () => bytes };
}

/** Attachments and images share one count from 1. */
function onDisk(number: number, source: ByteSource, type: string): Part {
  const fileName = source.name.slice(source.name.lastIndexOf('/') + 1);
  return { headers: headersOf(String(number), fileName, type), size: source.size, read: () => source.read() };
}

function headersOf(name: string, fileName: string, type: string): string {
  return `Content-Disposition: form-data; name="${name}"; filename=${quoted(fileName)}\r\nContent-Type: ${type}`;
}

function changed(): RequestInputError {
  return new RequestInputError('changed', 'A file changed its size while it was being sent', {
    next: 'Wait until nothing writes into the folder, then try again.',
  });
}
