/**
 * How many uploads may be written at the same time, over all ports: more than the disk can take helps nobody. No client gets
 * all places, or one that sends slowly on purpose (each byte just in time) would lock out the others.
 */
import { HttpError } from './http-error.js';

const RETRY_SECONDS = 5;
/** The rest stays free for others. Not half: most servers have one busy client, and it should be able to use them. */
const SHARE_OF_ONE = 0.8;

export class UploadGate {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #watch: ((inFlight: number) => void) | undefined;
  /** Only clients that have a place: as many entries as places at most. */
  readonly #places = new Map<string, number>();
  #inFlight = 0;

  constructor(most: number, watch?: (inFlight: number) => void) {
    this.#most = most;
    this.#mostOfOne = Math.ceil(most * SHARE_OF_ONE);
    this.#watch = watch;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * `client`: who sends, as `uploaderOf` names them. Returns what gives the place back (once). Throws HttpError
   * `too-many-uploads`.
   */
  enter(client: string): () => void {
    if (this.#inFlight >= this.#most)
      throw tooMany('As many uploads as this server takes at the same time are running');
    if ((this.#places.get(client) ?? 0) >= this.#mostOfOne)
      throw tooMany('As many of your uploads are running as this server takes of one client at the same time');
    this.#change(client, +1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#change(client, -1);
    };
  }

  #change(client: string, by: number): void {
    const places = (this.#places.get(client) ?? 0) + by;
    if (places > 0) this.#places.set(client, places);
    else this.#places.delete(client);
    this.#inFlight += by;
    this.#watch?.(this.#inFlight);
  }
}

function tooMany(message: string): HttpError {
  return new HttpError('too-many-uploads', message, {
    next: 'Send it again in a few seconds.',
    retryAfterSeconds: RETRY_SECONDS,
  });
}
