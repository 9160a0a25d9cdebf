/**
 * multipart/form-data (RFC 7578) as curl -F and browsers send it: small text fields first, then one file that is streamed.
 * Nothing is kept in memory but the fields, each within a limit.
 */
import { boundaryOf, MultipartError, parseHeaderValue, partBytes, readMultipart } from '@isocenter/formats';
import { isFailure } from '@isocenter/volume';
import { RestError } from './rest-error.js';

export interface MultipartForm {
  readonly fields: ReadonlyMap<string, string>;
  /** Of the part that is named `file`; to be read to its end. */
  readonly file: AsyncIterable<Uint8Array>;
}

/** A form of a thousand structures has 200 KB. */
const LONGEST_FIELD = 1024 * 1024;
const MOST_FIELDS = 32;

export function isMultipart(mediaType: string): boolean {
  return mediaType === 'multipart/form-data';
}

/** Throws RestError `bad-form`, also while the file is read. */
export async function readForm(body: AsyncIterable<Uint8Array>, contentType: string): Promise<MultipartForm> {
  try {
    const limits = { parts: MOST_FIELDS, partBytes: Number.POSITIVE_INFINITY };
    const parts = readMultipart(body, boundaryOf(contentType), limits);
    const fields = new Map<string, string>();
    // Not `for await`: the parts must stay open for the file.
    for (let next = await parts.next(); !next.done; next = await parts.next()) {
      const part = next.value;
      const name = parseHeaderValue(part.headers.get('content-disposition') ?? '').parameters.get('name');
      if (name === 'file') return { fields, file: fileOf(part.body, parts) };
      if (name === undefined) throw badForm('A part has no name');
      fields.set(name, (await partBytes(part, LONGEST_FIELD)).toString('utf8'));
    }
  } catch (error) {
    throw asForm(error);
  }
  throw badForm('It has no part named file');
}

/** What follows the file is read and dropped. */
async function* fileOf(file: AsyncIterable<Uint8Array>, parts: AsyncGenerator<unknown>): AsyncGenerator<Uint8Array> {
  try {
    yield* file;
    while (!(await parts.next()).done);
  } catch (error) {
    throw asForm(error);
  } finally {
    await parts.return(undefined);
  }
}

function asForm(error: unknown): unknown {
  return isFailure(error) && error.name === MultipartError.name ? badForm(error.message, error) : error;
}

function badForm(why: string, cause?: unknown): RestError {
  return new RestError('bad-form', `The multipart form cannot be read: ${why}`, {
    where: 'body',
    next: 'With curl: -F form=@form.json -F file=@model.onnx, the file last.',
    ...(cause === undefined ? {} : { cause }),
  });
}
