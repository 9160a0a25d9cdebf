/** Whether we are serving or going down, and how many requests are still to be answered. One for all ports. */
export class Drain {
  readonly #controller = new AbortController();
  #inFlight = 0;
  #empty: (() => void)[] = [];

  /** Aborted when draining starts: event streams end on it. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get draining(): boolean {
    return this.#controller.signal.aborted;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  start(): void {
    this.#controller.abort();
  }

  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight > 0) return;
    for (const resolve of this.#empty.splice(0)) resolve();
  }

  /** True when all requests were answered within `milliseconds`. */
  async finished(milliseconds: number): Promise<boolean> {
    if (this.#inFlight === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds);
    });
    const empty = new Promise<boolean>((resolve) => this.#empty.push(() => resolve(true)));
    const done = await Promise.race([empty, late]);
    clearTimeout(timer);
    return done;
  }
}
