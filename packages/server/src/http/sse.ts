/**
 * Server-sent events (HTML Living Standard §9.2) from an AsyncIterable: one event is taken when the client has room for
 * it, quiet times are filled with comments, and the stream ends with the client, with the source or with the server.
 */
import { Readable } from 'node:stream';

export interface EventStreamOptions {
  readonly heartbeatMs: number;
  /** Client gone, or server going down: the stream ends. */
  readonly signal: AbortSignal;
  /** Throws when the client may not hear more: its session ended or its key was revoked. Asked before whatever is sent. */
  readonly check?: () => Promise<void>;
  /** What an event is in JSON. */
  readonly encode: (event: unknown) => string;
  /** What is said when the source throws, as JSON. */
  readonly problem: (error: unknown) => string;
  /** Browsers come back after this. */
  readonly retryMs?: number;
}

export const EVENT_STREAM = 'text/event-stream; charset=utf-8';

const RETRY_MS = 2_000;
/** One event beyond what the socket holds, not sixteen kilobytes of them. */
const BUFFER_BYTES = 1024;

/** `Last-Event-ID` is not read: each of our streams begins with the present state, so nothing is missed. */
export function eventStream(events: AsyncIterable<unknown>, options: EventStreamOptions): Readable {
  return Readable.from(frames(events, options), { objectMode: false, highWaterMark: BUFFER_BYTES });
}

async function* frames(events: AsyncIterable<unknown>, options: EventStreamOptions): AsyncGenerator<string> {
  // Sent at once, so that the client has the headers before the first event.
  yield `retry: ${options.retryMs ?? RETRY_MS}\n: isocenter\n\n`;
  const source = events[Symbol.asyncIterator]();
  const clock = new Heartbeat(options.heartbeatMs, options.signal);
  try {
    let next = source.next();
    for (;;) {
      const first = await clock.race(next);
      if (first === 'ended') return;
      await options.check?.();
      if (first === 'quiet') {
        yield ': still here\n\n';
        continue;
      }
      if (first.done === true) {
        // Said in words: without it a client cannot tell the end from a connection that broke, and comes back.
        if (!options.signal.aborted) yield frame('end', '{}');
        return;
      }
      yield frame('message', options.encode(first.value));
      next = source.next();
    }
  } catch (error) {
    if (!options.signal.aborted) yield frame('error', options.problem(error));
  } finally {
    clock.stop();
    // Not awaited: a source that hangs must not hold the connection; it was told by its own signal.
    void Promise.resolve(source.return?.()).catch(() => {});
  }
}

function frame(event: string, data: string): string {
  const name = event === 'message' ? '' : `event: ${event}\n`;
  return `${name}data: ${data}\n\n`;
}

/** What comes first: the source's next word, a quiet interval, or the end of it all. */
class Heartbeat {
  readonly #milliseconds: number;
  readonly #signal: AbortSignal;
  readonly #ended: Promise<'ended'>;
  #end: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, signal: AbortSignal) {
    this.#milliseconds = milliseconds;
    this.#signal = signal;
    this.#ended = new Promise((resolve) => {
      this.#end = () => resolve('ended');
    });
    if (signal.aborted) this.#end();
    else signal.addEventListener('abort', this.#end, { once: true });
  }

  async race<T>(next: Promise<T>): Promise<T | 'quiet' | 'ended'> {
    const quiet = new Promise<'quiet'>((resolve) => {
      this.#timer = setTimeout(() => resolve('quiet'), this.#milliseconds);
    });
    try {
      return await Promise.race([next, quiet, this.#ended]);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#end);
    this.#end();
  }
}
