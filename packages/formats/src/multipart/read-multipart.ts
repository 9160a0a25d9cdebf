/** Parts of a multipart body one after the other, each as a stream: for readers that are not written as a sink. */
import { MultipartError } from './multipart-error.js';
import { type MultipartLimits, MultipartParser, type PartHeaders } from './multipart-parser.js';

export interface MultipartPart {
  readonly headers: PartHeaders;
  /** To be read before the next part is asked for; what is left of it then is dropped. */
  readonly body: AsyncIterable<Uint8Array>;
}

type Event =
  | { readonly kind: 'part'; readonly headers: PartHeaders }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' };

/**
 * No chunk is read before the one before it is used up. A body without parts yields none. Throws MultipartError
 * (`bad-header`, `truncated`, `too-many-parts`, `too-large`) and what the source throws.
 */
export async function* readMultipart(
  source: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: Partial<MultipartLimits> = {},
): AsyncGenerator<MultipartPart, void, void> {
  const events = new Events(source, boundary, limits);
  try {
    for (let event = await events.next(); event; event = await events.next())
      if (event.kind === 'part') yield { headers: event.headers, body: bodyOfPart(events) };
  } finally {
    await events.close();
  }
}

/** All of a part as one Buffer. Throws MultipartError `too-large` above the limit, before more is kept. */
export async function partBytes({ body }: MultipartPart, maximumBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maximumBytes) throw new MultipartError('too-large', `A part is larger than ${maximumBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** Ends with its part; never takes what belongs to the next one. */
async function* bodyOfPart(events: Events): AsyncGenerator<Uint8Array, void, void> {
  const { part } = events;
  while (events.part === part) {
    const event = await events.next();
    if (event?.kind !== 'data') return;
    yield event.bytes;
  }
}

class Events {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #parser: MultipartParser;
  #queue: Event[] = [];
  #at = 0;
  #ended = false;
  /** Number of the part that the last event belongs to; changes when it ends. */
  part = 0;

  constructor(source: AsyncIterable<Uint8Array>, boundary: string, limits: Partial<MultipartLimits>) {
    this.#source = source[Symbol.asyncIterator]();
    const sink = {
      part: (headers: PartHeaders) => void this.#queue.push({ kind: 'part', headers }),
      data: (bytes: Buffer) => void this.#queue.push({ kind: 'data', bytes }),
      partEnd: () => void this.#queue.push({ kind: 'end' }),
    };
    this.#parser = new MultipartParser(boundary, sink, limits);
  }

  async next(): Promise<Event | undefined> {
    while (this.#at === this.#queue.length) {
      if (this.#ended) return undefined;
      this.#queue = [];
      this.#at = 0;
      const { done, value } = await this.#source.next();
      this.#ended = done === true;
      if (this.#ended) this.#parser.end();
      else this.#parser.push(value);
    }
    const event = this.#queue[this.#at++]!;
    if (event.kind === 'end') this.part++;
    return event;
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
  }
}
