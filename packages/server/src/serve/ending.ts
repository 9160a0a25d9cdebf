/** What was started, to be ended in the opposite order; a part that fails to end does not keep the others from it. */
export class Ending {
  readonly #parts: (() => Promise<void>)[] = [];
  #ended: Promise<void> | undefined;

  add(end: () => Promise<void>): void {
    this.#parts.push(end);
  }

  /** Rejects with the first failure, after all parts had their turn. Further calls wait for the first. */
  end(): Promise<void> {
    this.#ended ??= this.#run();
    return this.#ended;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (const end of this.#parts.reverse()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}
