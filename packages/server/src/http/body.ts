/**
 * The one reader of request bodies: bytes as they come, counted against a limit, watched for clients that send next to
 * nothing. It never destroys the request, so that an early refusal still reaches the client (see linger.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './http-error.js';
import type { HttpLimits } from './limits.js';

export interface BodyOptions {
  readonly limits: HttpLimits;
  /** Of the bytes on the wire. */
  readonly maximumBytes: number;
  /** The whole body must be there after this; undefined: only its rate counts. */
  readonly deadlineMs?: number;
}

/** Requests that said `Expect: 100-continue` and wait for our word before they send (RFC 9110 §10.1.1). */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

export function holdBody(raw: IncomingMessage, response: ServerResponse): void {
  waiting.set(raw, response);
}

/** True while the client waits for a `100 Continue` that it did not get. */
export function isHeld(raw: IncomingMessage): boolean {
  return waiting.has(raw);
}

/** What Content-Length says; undefined for chunks. Node has refused what is no number, and both at once. */
export function declaredBytes(raw: IncomingMessage): number | undefined {
  const length = raw.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

export function hasBody(raw: IncomingMessage): boolean {
  return raw.headers['transfer-encoding'] !== undefined || (declaredBytes(raw) ?? 0) > 0;
}

export function tooLarge(maximumBytes: number): HttpError {
  return new HttpError('too-large', `The body is larger than the ${maximumBytes} bytes that this address takes`, {
    next: 'Send less, or ask the administrator to raise the limit.',
  });
}

/** Throws HttpError `too-large`, `slow-body`, `timeout`, `incomplete-body`. */
export async function* bodyOf(raw: IncomingMessage, options: BodyOptions): AsyncGenerator<Uint8Array, void, void> {
  if ((declaredBytes(raw) ?? 0) > options.maximumBytes) throw tooLarge(options.maximumBytes);
  waiting.get(raw)?.writeContinue();
  waiting.delete(raw);
  const patience = new Patience(raw, options);
  let bytes = 0;
  try {
    for (;;) {
      // Everything that is buffered at once: a million chunks of one byte become few reads.
      const chunk: Uint8Array | null = raw.read();
      if (chunk !== null) {
        bytes += chunk.length;
        patience.received(chunk.length);
        if (bytes > options.maximumBytes) throw tooLarge(options.maximumBytes);
        yield chunk;
      } else if (raw.readableEnded) return;
      else await patience.more();
    }
  } finally {
    patience.end();
  }
}

/** The bytes together; only for small limits. */
export async function readBody(raw: IncomingMessage, options: BodyOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyOf(raw, options)) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

const CHECK_MS = 1_000;

/** Waits for the client, not for ever: only the time that is spent waiting for it counts against it. */
class Patience {
  readonly #raw: IncomingMessage;
  readonly #limits: HttpLimits;
  readonly #deadline: number;
  readonly #listener = (): void => this.#wake();
  #timer: NodeJS.Timeout | undefined;
  #waiting: { resolve(): void; reject(error: HttpError): void } | undefined;
  #waitedMs = 0;
  #bytes = 0;
  #listening = false;

  constructor(raw: IncomingMessage, options: BodyOptions) {
    this.#raw = raw;
    this.#limits = options.limits;
    this.#deadline = Date.now() + (options.deadlineMs ?? Infinity);
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Resolves when there may be more to read; throws when the client is gone or too slow. */
  more(): Promise<void> {
    const raw = this.#raw;
    if (raw.destroyed || raw.errored) return Promise.reject(gone());
    if (!this.#listening) {
      this.#listening = true;
      for (const event of ['readable', 'end', 'error', 'close']) raw.on(event, this.#listener);
      this.#timer = setInterval(() => this.#check(), Math.min(CHECK_MS, this.#limits.slowGraceMs));
      // Also for a reader that gave up without saying so.
      raw.once('close', () => clearInterval(this.#timer));
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  end(): void {
    clearInterval(this.#timer);
    if (!this.#listening) return;
    for (const event of ['readable', 'end', 'error', 'close']) this.#raw.off(event, this.#listener);
    // An error after we stopped listening would end the process.
    this.#raw.on('error', () => {});
  }

  #wake(): void {
    const waiter = this.#waiting;
    this.#waiting = undefined;
    const raw = this.#raw;
    if (raw.errored || (raw.destroyed && !raw.readableEnded)) waiter?.reject(gone());
    else waiter?.resolve();
  }

  #check(): void {
    const waiter = this.#waiting;
    if (waiter === undefined) return;
    if (Date.now() > this.#deadline) {
      waiter.reject(late('timeout', 'The body did not arrive in time'));
      return;
    }
    const { slowGraceMs, slowBytesPerSecond } = this.#limits;
    this.#waitedMs += Math.min(CHECK_MS, slowGraceMs);
    if (this.#waitedMs < slowGraceMs) return;
    if (this.#bytes < (slowBytesPerSecond * this.#waitedMs) / 1000)
      waiter.reject(late('slow-body', `Less than ${slowBytesPerSecond} bytes a second came`));
    this.#waitedMs = 0;
    this.#bytes = 0;
  }
}

function gone(): HttpError {
  return new HttpError('incomplete-body', 'The connection ended before the body was complete');
}

function late(kind: 'timeout' | 'slow-body', message: string): HttpError {
  return new HttpError(kind, message, {
    next: 'Send the request again over a better connection.',
    // Nobody is to wait for the rest of this body.
    headers: { connection: 'close' },
  });
}
