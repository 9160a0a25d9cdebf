/**
 * Clients that ask and then do not read: their answer fills the buffers and would hold a file and a connection for ever.
 * An answer of which nothing more could be sent for a while is cut. Waiting for us (a long run, a quiet stream) is not
 * a stall, because then there is nothing to be sent.
 */
import type { Server, ServerResponse } from 'node:http';

interface Seen {
  readonly written: number;
  readonly waiting: number;
  /** Checks in a row that saw no movement: counted, since a clock would go on while our own loop is held up. */
  readonly still: number;
}

const CHECKS_PER_LIMIT = 4;

export class StalledAnswers {
  readonly #open = new Map<ServerResponse, Seen | undefined>();

  constructor(server: Server, stallMs: number) {
    const timer = setInterval(() => this.#check(), stallMs / CHECKS_PER_LIMIT);
    timer.unref();
    server.once('close', () => clearInterval(timer));
  }

  begin(response: ServerResponse): void {
    this.#open.set(response, undefined);
  }

  end(response: ServerResponse): void {
    this.#open.delete(response);
  }

  #check(): void {
    for (const [response, seen] of this.#open) {
      const { socket } = response;
      const waiting = socket?.writableLength ?? 0;
      const written = socket?.bytesWritten ?? 0;
      const moved = seen === undefined || seen.written !== written || seen.waiting !== waiting;
      if (waiting === 0) this.#open.set(response, undefined);
      else if (moved) this.#open.set(response, { written, waiting, still: 0 });
      else if (seen.still + 1 >= CHECKS_PER_LIMIT) socket?.destroy();
      else this.#open.set(response, { ...seen, still: seen.still + 1 });
    }
  }
}
