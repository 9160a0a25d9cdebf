/**
 * What every store does to the bytes that come in, whatever it is made of: count, hash, limit, and let go at once when
 * the signal says so, even while the source hangs. Remembers why it stopped, so that a store can tell a failure of the
 * source (thrown on as it is) from one of its own.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BlobError, cancelled } from './blob-error.js';
import type { PutOptions } from './blob-store.js';

export class MeasuredSource {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #options: PutOptions;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: AsyncIterable<Uint8Array>, options: PutOptions = {}) {
    this.#source = source;
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Set when the source, the limit or the signal ended it; not when the store did. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Counted and limited, not yet hashed: the file store hashes while the disk writes. */
  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    const { maximumBytes = Number.POSITIVE_INFINITY, signal } = this.#options;
    const iterator = this.#source[Symbol.asyncIterator]();
    // One listener for the whole transfer: a race per chunk against one promise would keep every chunk's closure.
    let stopWaiting: ((error: unknown) => void) | undefined;
    const onAbort = () => stopWaiting?.(cancelled());
    signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        const step = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
          stopWaiting = reject;
          if (signal?.aborted) reject(cancelled());
          else iterator.next().then(resolve, reject);
        });
        stopWaiting = undefined;
        if (step.done) return;
        this.#bytes += step.value.byteLength;
        if (this.#bytes > maximumBytes) throw tooLarge(maximumBytes);
        if (step.value.byteLength > 0) yield step.value;
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      // Not awaited: a source that hangs in next() would hang here too.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
    }
  }

  hash(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  /** For a vendor's upload: hashed on the way. */
  toReadable(): Readable {
    const measured = this;
    return Readable.from(
      (async function* () {
        for await (const chunk of measured.chunks()) {
          measured.hash(chunk);
          yield chunk;
        }
      })(),
      { objectMode: false, highWaterMark: 64 * 1024 },
    );
  }

  /** Once, when all has been read. Fails when the signal came after the last chunk. */
  finish(): { readonly bytes: number; readonly sha256: string } {
    if (this.#options.signal?.aborted) throw cancelled();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

function tooLarge(maximumBytes: number): BlobError {
  return new BlobError('too-large', `More than the ${maximumBytes} bytes that are allowed here; nothing was kept.`, {
    next: 'Send less, or ask the administrator to raise the limit.',
  });
}
