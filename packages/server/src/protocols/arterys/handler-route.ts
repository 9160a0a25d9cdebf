/** A handler of the integrator answers, in a thread of its own; the request lies in memory meanwhile, within a common budget. */
import type { AnswerThreads } from './answer-threads.js';
import { ArterysError } from './arterys-error.js';
import type { Answering } from './gateway.js';
import type { EncodedAnswer } from './messages.js';
import type { ReceivedRequest } from './read-request.js';
import type { TaggedLogger } from './tagged-logger.js';

/** Bytes of all requests that are held in memory at the same time: being received, or with a handler. */
export class MemoryBudget {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Throws ArterysError `busy`. */
  take(bytes: number): void {
    if (bytes > this.#free)
      throw new ArterysError('busy', 'The requests under way fill the memory for images', {
        next: 'Send it again in a few seconds.',
      });
    this.#free -= bytes;
  }

  giveBack(bytes: number): void {
    this.#free += bytes;
  }
}

export class HandlerAnswering implements Answering {
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(
    private readonly threads: AnswerThreads,
    private readonly budget: MemoryBudget,
    private readonly signal: AbortSignal,
  ) {}

  hold(bytes: number): void {
    this.budget.take(bytes);
    this.#bytes += bytes;
  }

  take(bytes: Buffer): void {
    this.#parts.push(bytes);
  }

  answer({ json, inputHash }: ReceivedRequest, logger: TaggedLogger): Promise<EncodedAnswer> {
    const parts = this.#parts;
    this.#parts = [];
    return this.threads.answer({ kind: 'handle', json, parts, inputHash }, logger, this.signal);
  }

  async end(): Promise<void> {
    this.#parts = [];
    this.budget.giveBack(this.#bytes);
    this.#bytes = 0;
  }
}
