/**
 * Back-pressure before the disk is full: each write claims its next bytes before it takes them, and a claim is refused
 * when free space less all claims not yet written would fall below the reserve. PostgreSQL may live on the same disk,
 * and a full one stops it; so many uploads at once must not overshoot together. Nor must they all fail together: when
 * space runs short in the middle, the youngest gives up, and the older wait a little for what it frees.
 *
 * What a client says of its length is never believed upward: a large figure may refuse that client at once, but claims
 * no more than a first step, or a liar would lock out the others.
 */
import { BlobError } from './blob-error.js';
import { noSpace } from './file-error.js';
import { WRITTEN_BEHIND } from './file-store.js';

/**
 * Of the disk's reserve, left alone by results: what was acknowledged may go into half of it, or a disk that is full of
 * uploads would fail the very jobs that make room.
 */
export const RESULTS_LEAVE = 0.5;
/** A claim at first, when no length is known; doubled as more comes, up to the largest. */
const FIRST_STEP = 256 * 1024;
const LARGEST_STEP = 8 * 1024 * 1024;
/** An older write waits no longer than this for the youngest, which may be as slow as its client. */
const PATIENCE_MS = 10_000;

export class DiskSpace {
  readonly #freeBytes: () => Promise<number>;
  readonly #reserveBytes: number;
  /** Claimed and not yet on the disk. */
  #claimed = 0;
  /** Claims are decided one after the other. */
  #last: Promise<void> = Promise.resolve();
  /** In the order of their beginning. */
  readonly #active = new Set<Reservation>();
  readonly #waiting: (() => void)[] = [];
  #ends = 0;

  constructor(freeBytes: () => Promise<number>, reserveBytes: number) {
    this.#freeBytes = freeBytes;
    this.#reserveBytes = reserveBytes;
  }

  get claimedBytes(): number {
    return this.#claimed;
  }

  /**
   * Throws BlobError `no-space`. `expectedBytes`: what the client declared, if it did. `share`: of the reserve that this
   * write leaves alone, 0 to 1. The caller must `release()` when the file is whole or removed.
   */
  async reserve(expectedBytes?: number, share = 1): Promise<Reservation> {
    const first = Math.min(Math.max(expectedBytes ?? FIRST_STEP, 1), FIRST_STEP);
    const leave = this.#reserveBytes * share;
    await this.#claim(first, expectedBytes ?? first, leave);
    const reservation: Reservation = new Reservation(first, {
      claim: (bytes) => this.#claimPatiently(reservation, bytes, leave),
      settle: (bytes) => {
        this.#claimed -= bytes;
      },
      end: () => {
        this.#active.delete(reservation);
        this.#ends++;
        for (const wake of this.#waiting.splice(0)) wake();
      },
    });
    this.#active.add(reservation);
    return reservation;
  }

  async #claimPatiently(reservation: Reservation, bytes: number, leave: number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      // Before the claim: an end while the disk answers would be missed.
      const ends = this.#ends;
      try {
        return await this.#claim(bytes, bytes, leave);
      } catch (error) {
        const wait = deadline - performance.now();
        const youngest = [...this.#active].at(-1) === reservation;
        if (!(error instanceof BlobError) || youngest || wait <= 0) throw error;
        if (ends === this.#ends) await this.#nextEnd(wait);
      }
    }
  }

  #nextEnd(longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longestMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Claims `bytes` where `needed` would fit beside the bytes to `leave`. */
  async #claim(bytes: number, needed: number, leave: number): Promise<void> {
    const turn = this.#last.then(async () => {
      // Taken before the disk is asked: bytes that are written while it answers may still be missing from its answer.
      const claimed = this.#claimed;
      const free = await this.#freeBytes();
      if (free - claimed - needed < leave) throw noSpace();
      this.#claimed += bytes;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

interface Claims {
  claim(bytes: number): Promise<void>;
  /** Written, or not needed. */
  settle(bytes: number): void;
  end(): void;
}

export class Reservation {
  #held: number;
  #released = false;
  readonly #claims: Claims;

  constructor(held: number, claims: Claims) {
    this.#held = held;
    this.#claims = claims;
  }

  /**
   * Passes the source on. The taker asks for the next chunk when all but WRITTEN_BEHIND bytes are on the disk; those stay
   * claimed. Throws BlobError `no-space`.
   */
  async *meter(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let taken = 0;
    let behind = 0;
    for await (const chunk of source) {
      while (this.#held - behind < chunk.byteLength) {
        const missing = chunk.byteLength - (this.#held - behind);
        const step = Math.max(Math.min(Math.max(taken, FIRST_STEP), LARGEST_STEP), missing);
        await this.#claims.claim(step);
        if (this.#released) return this.#claims.settle(step);
        this.#held += step;
      }
      yield chunk;
      taken += chunk.byteLength;
      behind += chunk.byteLength;
      if (behind <= WRITTEN_BEHIND) continue;
      this.#settle(behind - WRITTEN_BEHIND);
      behind = WRITTEN_BEHIND;
    }
  }

  /** Whatever is claimed and will not be written; also when the source hangs for ever. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#settle(this.#held);
    this.#claims.end();
  }

  #settle(bytes: number): void {
    const settled = Math.min(bytes, this.#held);
    this.#held -= settled;
    this.#claims.settle(settled);
  }
}
