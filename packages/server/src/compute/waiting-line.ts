/** Who waits for a child: higher priority first, then in the order of coming. */

export interface Waiting {
  readonly priority: number;
}

export class WaitingLine<Item extends Waiting> {
  readonly #items: Item[] = [];

  get length(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    // From the end: most have the same priority, and the newest goes last.
    let at = this.#items.length;
    while (at > 0 && this.#items[at - 1].priority < item.priority) at--;
    this.#items.splice(at, 0, item);
  }

  /** False when it was not in the line. */
  remove(item: Item): boolean {
    const at = this.#items.indexOf(item);
    if (at >= 0) this.#items.splice(at, 1);
    return at >= 0;
  }

  /** Empties the line. */
  drain(): Item[] {
    return this.#items.splice(0);
  }
}
