/**
 * A result is deleted after one complete fetch. Between its last byte and the end of its connection nobody knows yet whether
 * the fetch was complete, so whoever asks for the same job in that moment waits until it is decided.
 */
import type { ServerResponse } from 'node:http';

export class Deliveries {
  readonly #ending = new Map<string, Promise<void>>();

  /** Resolves when no delivery of this job is at its end. */
  async settled(id: string): Promise<void> {
    while (this.#ending.has(id)) await this.#ending.get(id);
  }

  /** To be called before the answer is sent; gives what is to be called before its last byte goes out. */
  begin(id: string, response: ServerResponse, complete: () => Promise<void>): () => void {
    const over = new Promise<void>((resolve) => {
      response.once('close', () => {
        if (!response.writableFinished) resolve();
        else complete().finally(resolve);
      });
    });
    return () => {
      const before = this.#ending.get(id);
      const both = Promise.all([before, over]).then(() => {
        if (this.#ending.get(id) === both) this.#ending.delete(id);
      });
      this.#ending.set(id, both);
    };
  }
}
