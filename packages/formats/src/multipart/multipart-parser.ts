/**
 * Multipart bodies (RFC 2046 §5.1) as they arrive: chunks are pushed in, parts come out as slices of the same chunks. All
 * searching is Buffer.indexOf (memmem); nothing is kept but a possible beginning of a delimiter line and unfinished headers.
 *
 * A delimiter line is CRLF, `--`, boundary, perhaps `--`, blanks, and a line end (or the body's end after the last one).
 * Where the line goes on otherwise it is data, as the standard has it.
 */
import { MultipartError } from './multipart-error.js';

export interface MultipartLimits {
  /** Parts in one body. */
  readonly parts: number;
  /** Header lines of one part together. */
  readonly headerBytes: number;
  /** Body of one part. */
  readonly partBytes: number;
}

export const DEFAULT_MULTIPART_LIMITS: MultipartLimits = Object.freeze({
  /** A dynamic study of several thousand slices. */
  parts: 20_000,
  headerBytes: 16 * 1024,
  /** The largest Buffer that one may expect to hold; callers know better. */
  partBytes: 2 ** 31,
});

/** Names in lower case; lines of the same name joined by a comma. */
export type PartHeaders = ReadonlyMap<string, string>;

/** Called while `push` runs, in the order of the bytes; what it throws comes out of `push`. */
export interface MultipartSink {
  part(headers: PartHeaders): void;
  /** A view on the pushed chunk: whoever keeps it keeps the chunk. Never empty. */
  data(bytes: Buffer): void;
  partEnd(): void;
}

type State = 'preamble' | 'headers' | 'body' | 'epilogue';
/** `after`: the first byte behind a whole delimiter line. */
interface LineEnd {
  readonly kind: 'data' | 'unfinished' | 'next' | 'close';
  readonly after: number;
}

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const BLANK = 0x20;
const TAB = 0x09;
/** Blanks behind a boundary come from gateways that fill lines (RFC 2046: transport padding); beyond this it is no padding. */
export const LONGEST_PADDING = 256;
const LINE_END_BYTES = 2;
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);
const DATA: LineEnd = { kind: 'data', after: -1 };
const UNFINISHED: LineEnd = { kind: 'unfinished', after: -1 };

export class MultipartParser {
  readonly #delimiter: Buffer;
  readonly #sink: MultipartSink;
  readonly #limits: MultipartLimits;
  #state: State = 'preamble';
  /** A line end before the first byte, so that a first line that is a boundary looks like the others. */
  #held: Buffer = Buffer.from('\r\n');
  #parts = 0;
  #partBytes = 0;
  /** Bytes before the part's first one that are still to come: the empty line behind its headers. */
  #skip = 0;

  constructor(boundary: string, sink: MultipartSink, limits: Partial<MultipartLimits> = {}) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#sink = sink;
    this.#limits = { ...DEFAULT_MULTIPART_LIMITS, ...limits };
  }

  /** Begun so far; 0 after `end` is a body without parts, which is legal here and for the caller to judge. */
  get parts(): number {
    return this.#parts;
  }

  /** Throws MultipartError `bad-header`, `too-many-parts`, `too-large`; no more may be pushed then. */
  push(chunk: Uint8Array): void {
    if (this.#state === 'epilogue') return;
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const data = this.#held.length === 0 ? fresh : Buffer.concat([this.#held, fresh]);
    this.#held = NOTHING;
    for (let at = 0; at >= 0; ) at = this.#state === 'headers' ? this.#readHeaders(data, at) : this.#readBody(data, at);
  }

  /** No more comes. Throws MultipartError `truncated` when the last delimiter line was not there. */
  end(): void {
    if (this.#state === 'epilogue') return;
    const { length } = this.#delimiter;
    const atDelimiter = this.#state !== 'headers' && this.#held.subarray(0, length).equals(this.#delimiter);
    const tail = this.#held.subarray(length).toString('latin1');
    if (!atDelimiter || !/^--[ \t]*$/.test(tail)) throw this.#error('truncated', 'The multipart body ends too early');
    this.#close();
  }

  /** Up to and over the next delimiter line; -1 when all was used. */
  #readBody(data: Buffer, start: number): number {
    for (let from = start; ; ) {
      const found = data.indexOf(this.#delimiter, from);
      if (found < 0) {
        const sure = this.#sureEnd(data, from);
        this.#emit(data, start, sure);
        return this.#hold(data, sure);
      }
      const line = lineEnd(data, found + this.#delimiter.length);
      if (line.kind === 'data') {
        // A delimiter has one CR, its first byte: the next cannot begin inside of this.
        from = found + this.#delimiter.length;
        continue;
      }
      this.#emit(data, start, found);
      if (line.kind === 'unfinished') return this.#hold(data, found);
      if (line.kind === 'close') return this.#close();
      if (this.#state === 'body') this.#sink.partEnd();
      if (this.#parts >= this.#limits.parts)
        throw this.#error('too-many-parts', `The body has more than ${this.#limits.parts} parts`);
      this.#state = 'headers';
      return line.after;
    }
  }

  #readHeaders(data: Buffer, at: number): number {
    if (data.length < at + LINE_END_BYTES) return this.#hold(data, at);
    const empty = data[at] === CR && data[at + 1] === LF;
    const end = empty ? at : data.indexOf(END_OF_HEADERS, at);
    if ((end < 0 ? data.length - END_OF_HEADERS.length : end) - at > this.#limits.headerBytes)
      throw this.#error('too-large', `The headers of a part are longer than ${this.#limits.headerBytes} bytes`);
    if (end < 0) return this.#hold(data, at);
    const headers = empty ? new Map<string, string>() : this.#parseHeaders(data.toString('utf8', at, end));
    this.#state = 'body';
    this.#parts++;
    this.#partBytes = 0;
    this.#sink.part(headers);
    // The empty line may be the beginning of the next delimiter: a part of no bytes need not have one of its own.
    this.#skip = LINE_END_BYTES;
    return empty ? end : end + LINE_END_BYTES;
  }

  #parseHeaders(text: string): PartHeaders {
    const headers = new Map<string, string>();
    // Long lines may be folded (RFC 5322 §2.2.3).
    for (const line of text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
      if (!/^[!-9;-~]+$/.test(name)) throw this.#error('bad-header', 'A header line of a part is none', this.#parts);
      const value = line.slice(colon + 1).trim();
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    return headers;
  }

  #emit(data: Buffer, from: number, to: number): void {
    if (to <= from || this.#state !== 'body') return;
    const first = from + this.#skip;
    this.#skip = 0;
    if (to === first) return;
    this.#partBytes += to - first;
    if (this.#partBytes > this.#limits.partBytes)
      throw this.#error('too-large', `A part is larger than ${this.#limits.partBytes} bytes`);
    this.#sink.data(data.subarray(first, to));
  }

  /** Where the end of the data may be the beginning of a delimiter. It has one CR only, so the last CR decides. */
  #sureEnd(data: Buffer, from: number): number {
    const first = Math.max(from, data.length - this.#delimiter.length + 1);
    const tail = data.subarray(first);
    const cr = tail.lastIndexOf(CR);
    if (cr < 0) return data.length;
    const end = tail.subarray(cr);
    return end.equals(this.#delimiter.subarray(0, end.length)) ? first + cr : data.length;
  }

  /** Copied: a few bytes are not to keep a chunk alive. */
  #hold(data: Buffer, from: number): -1 {
    this.#held = from >= data.length ? NOTHING : Buffer.from(data.subarray(from));
    return -1;
  }

  #close(): -1 {
    if (this.#state === 'body') this.#sink.partEnd();
    this.#state = 'epilogue';
    this.#held = NOTHING;
    return -1;
  }

  #error(
    kind: 'bad-header' | 'truncated' | 'too-many-parts' | 'too-large',
    message: string,
    part = this.#parts - 1,
  ): MultipartError {
    return new MultipartError(kind, message, { where: part < 0 ? 'before the first part' : `part ${part}` });
  }
}

/** What follows `--boundary` at `start`. */
function lineEnd(data: Buffer, start: number): LineEnd {
  const close = data[start] === DASH && data[start + 1] === DASH;
  if (!close && data[start] === DASH) return start + 1 === data.length ? UNFINISHED : DATA;
  const padding = close ? start + 2 : start;
  let at = padding;
  while (at - padding < LONGEST_PADDING && (data[at] === BLANK || data[at] === TAB)) at++;
  if (at === data.length) return UNFINISHED;
  if (data[at] !== CR) return DATA;
  if (at + 1 === data.length) return UNFINISHED;
  if (data[at + 1] !== LF) return DATA;
  return { kind: close ? 'close' : 'next', after: at + 2 };
}
