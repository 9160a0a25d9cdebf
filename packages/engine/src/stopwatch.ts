/** Milliseconds by step, for reports. */
export class Stopwatch {
  readonly steps: Record<string, number> = {};
  #last = performance.now();
  readonly #start = this.#last;

  lap(step: string): void {
    const now = performance.now();
    this.steps[step] = (this.steps[step] ?? 0) + Math.round(now - this.#last);
    this.#last = now;
  }

  total(): Record<string, number> {
    return { ...this.steps, total: Math.round(performance.now() - this.#start) };
  }
}
