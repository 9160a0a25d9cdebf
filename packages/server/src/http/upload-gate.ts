/** How many uploads may be written at the same time, over all ports: more than the disk can take helps nobody. */
import { HttpError } from './http-error.js';

const RETRY_SECONDS = 5;

export class UploadGate {
  readonly #most: number;
  readonly #watch: ((inFlight: number) => void) | undefined;
  #inFlight = 0;

  constructor(most: number, watch?: (inFlight: number) => void) {
    this.#most = most;
    this.#watch = watch;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Returns what gives the place back (once). Throws HttpError `too-many-uploads`. */
  enter(): () => void {
    if (this.#inFlight >= this.#most)
      throw new HttpError('too-many-uploads', 'As many uploads as this server takes at the same time are running', {
        next: 'Send it again in a few seconds.',
        retryAfterSeconds: RETRY_SECONDS,
      });
    this.#change(+1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#change(-1);
    };
  }

  #change(by: number): void {
    this.#inFlight += by;
    this.#watch?.(this.#inFlight);
  }
}
