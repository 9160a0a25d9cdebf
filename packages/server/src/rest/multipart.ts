/**
 * multipart/form-data (RFC 7578) as curl -F and browsers send it: small text fields first, then one file that is streamed.
 * Nothing is kept in memory but the fields, each within a limit.
 */
import { RestError } from './rest-error.js';

export interface MultipartForm {
  readonly fields: ReadonlyMap<string, string>;
  /** Of the part that is named `file`; to be read to its end. */
  readonly file: AsyncIterable<Uint8Array>;
}

/** RFC 2046 5.1.1. */
const LONGEST_BOUNDARY = 70;
const LONGEST_HEADERS = 16 * 1024;
/** A form of a thousand structures has 200 KB. */
const LONGEST_FIELD = 1024 * 1024;
const MOST_FIELDS = 32;
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const LINE_END = '\r\n';

export function isMultipart(mediaType: string): boolean {
  return mediaType === 'multipart/form-data';
}

/** Throws RestError `bad-form`. */
export async function readMultipart(body: AsyncIterable<Uint8Array>, contentType: string): Promise<MultipartForm> {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType)?.slice(1).find(Boolean);
  if (boundary === undefined || boundary.length > LONGEST_BOUNDARY) throw badForm('it names no boundary');
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const reader = new Reader(body);
  await reader.until(delimiter, LONGEST_HEADERS);
  const fields = new Map<string, string>();
  for (let parts = 0; parts < MOST_FIELDS; parts++) {
    if ((await reader.take(LINE_END.length)).toString('latin1') !== LINE_END)
      throw badForm('it has no part named file');
    const headers = (await reader.until(END_OF_HEADERS, LONGEST_HEADERS)).toString('utf8');
    const name = /^content-disposition:[^\r\n]*;\s*name="([^"]*)"/im.exec(headers)?.[1];
    if (name === 'file') return { fields, file: reader.stream(delimiter) };
    if (name === undefined) throw badForm('a part has no name');
    fields.set(name, (await reader.until(delimiter, LONGEST_FIELD)).toString('utf8'));
  }
  throw badForm('it has too many parts');
}

class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** A line end before the first byte, so that the first boundary looks like the others. */
  #held: Buffer = Buffer.from(LINE_END);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async take(count: number): Promise<Buffer> {
    while (this.#held.length < count) await this.#more();
    return this.#cut(count);
  }

  /** Bytes before the mark; the mark is consumed. */
  async until(mark: Buffer, most: number): Promise<Buffer> {
    for (let from = 0; ; ) {
      const at = this.#held.indexOf(mark, from);
      if (at >= 0) {
        const found = this.#cut(at);
        this.#cut(mark.length);
        return found;
      }
      if (this.#held.length > most + mark.length) throw badForm('a field is too long');
      from = Math.max(0, this.#held.length - mark.length + 1);
      await this.#more();
    }
  }

  /** As `until`, in pieces; what follows the mark is read and dropped. */
  async *stream(mark: Buffer): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = this.#held.indexOf(mark);
      if (at >= 0) {
        if (at > 0) yield this.#cut(at);
        break;
      }
      const sure = this.#held.length - mark.length + 1;
      if (sure > 0) yield this.#cut(sure);
      await this.#more();
    }
    while (!(await this.#source.next()).done);
  }

  #cut(count: number): Buffer {
    const part = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return part;
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done) throw badForm('it ends in the middle');
    this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value]);
  }
}

function badForm(why: string): RestError {
  return new RestError('bad-form', `The multipart form cannot be read: ${why}`, {
    where: 'body',
    next: 'With curl: -F form=@form.json -F file=@model.onnx, the file last.',
  });
}
