/**
 * Back-pressure before the disk is full: each write claims its next bytes before it takes them, and a claim is refused
 * when free space less all claims not yet written would fall below the reserve. PostgreSQL may live on the same disk,
 * and a full one stops it; so many uploads at once must not overshoot together.
 *
 * What a client says of its length is never believed upward: a large figure may refuse that client at once, but claims
 * no more than a first step, or a liar would lock out the others.
 */
import { noSpace } from './file-error.js';

/** A claim at first, when no length is known; doubled as more comes, up to the largest. */
const FIRST_STEP = 256 * 1024;
const LARGEST_STEP = 8 * 1024 * 1024;

export class DiskSpace {
  readonly #freeBytes: () => Promise<number>;
  readonly #reserveBytes: number;
  /** Claimed and not yet on the disk. */
  #claimed = 0;
  /** Claims are decided one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(freeBytes: () => Promise<number>, reserveBytes: number) {
    this.#freeBytes = freeBytes;
    this.#reserveBytes = reserveBytes;
  }

  get claimedBytes(): number {
    return this.#claimed;
  }

  /** Throws BlobError `no-space`. `expectedBytes`: what the client declared, if it did. The caller must `release()`. */
  async reserve(expectedBytes?: number): Promise<Reservation> {
    const first = Math.min(Math.max(expectedBytes ?? FIRST_STEP, 1), FIRST_STEP);
    await this.#claim(first, expectedBytes ?? first);
    return new Reservation(
      first,
      (bytes) => this.#claim(bytes, bytes),
      (bytes) => {
        this.#claimed -= bytes;
      },
    );
  }

  /** Claims `bytes` where `needed` would fit. */
  async #claim(bytes: number, needed: number): Promise<void> {
    const turn = this.#last.then(async () => {
      // Taken before the disk is asked: bytes that are written while it answers may still be missing from its answer.
      const claimed = this.#claimed;
      const free = await this.#freeBytes();
      if (free - claimed - needed < this.#reserveBytes) throw noSpace();
      this.#claimed += bytes;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

export class Reservation {
  #held: number;
  #released = false;
  readonly #claim: (bytes: number) => Promise<void>;
  readonly #giveBack: (bytes: number) => void;

  constructor(held: number, claim: (bytes: number) => Promise<void>, giveBack: (bytes: number) => void) {
    this.#held = held;
    this.#claim = claim;
    this.#giveBack = giveBack;
  }

  /** Passes the source on; the taker asks for the next chunk when it has written the last. Throws BlobError `no-space`. */
  async *meter(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let written = 0;
    for await (const chunk of source) {
      while (this.#held < chunk.byteLength) {
        const step = Math.max(Math.min(Math.max(written, FIRST_STEP), LARGEST_STEP), chunk.byteLength - this.#held);
        await this.#claim(step);
        if (this.#released) return this.#giveBack(step);
        this.#held += step;
      }
      yield chunk;
      this.#settle(chunk.byteLength);
      written += chunk.byteLength;
    }
  }

  /** Whatever is claimed and will not be written; also when the source hangs for ever. */
  release(): void {
    this.#released = true;
    this.#settle(this.#held);
  }

  #settle(bytes: number): void {
    const settled = Math.min(bytes, this.#held);
    this.#held -= settled;
    this.#giveBack(settled);
  }
}
