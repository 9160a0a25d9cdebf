/** Rate limits in memory: a bucket of attempts per key that fills up again with time. Bounded, whatever keys are sent. */

/** A few MB; when it is full the key that was used longest ago is forgotten. */
const MAXIMUM_KEYS = 20_000;

interface Bucket {
  left: number;
  at: number;
}

export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #size: number;
  readonly #everyMs: number;
  readonly #clock: () => Date;

  constructor(size: number, everyMs: number, clock: () => Date) {
    this.#size = size;
    this.#everyMs = everyMs;
    this.#clock = clock;
  }

  /** Takes one attempt. 0: it may go on; else milliseconds until there is one again. */
  take(key: string): number {
    const bucket = this.#filled(key);
    if (bucket.left >= 1) {
      bucket.left -= 1;
      return 0;
    }
    return Math.ceil((1 - bucket.left) * this.#everyMs);
  }

  /** As `take`, without taking. */
  wait(key: string): number {
    const { left } = this.#filled(key);
    return left >= 1 ? 0 : Math.ceil((1 - left) * this.#everyMs);
  }

  /** Gives one attempt back: it was a good one. */
  giveBack(key: string): void {
    const bucket = this.#filled(key);
    bucket.left = Math.min(this.#size, bucket.left + 1);
  }

  forget(key: string): void {
    this.#buckets.delete(key);
  }

  #filled(key: string): Bucket {
    const now = this.#clock().getTime();
    const known = this.#buckets.get(key);
    const bucket = known ?? { left: this.#size, at: now };
    // A clock that was set back adds nothing, and takes nothing away.
    bucket.left = Math.min(this.#size, bucket.left + Math.max(0, now - bucket.at) / this.#everyMs);
    bucket.at = now;
    // Deleting first moves the key to the end: a Map keeps the order of insertion.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAXIMUM_KEYS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}
