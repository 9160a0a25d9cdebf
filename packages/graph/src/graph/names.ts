/** Readable unique names: the scope, what it is, and a number from the second on ("encoder/conv", "encoder/conv_2"). */
import { GraphError } from '../errors/graph-error.js';

export class Names {
  readonly #taken = new Set<string>();
  readonly #last = new Map<string, number>();

  /** A new name that reads as `wish`. */
  unique(wish: string): string {
    let name = wish;
    let count = this.#last.get(wish) ?? 1;
    while (this.#taken.has(name)) name = `${wish}_${++count}`;
    this.#last.set(wish, count);
    this.#taken.add(name);
    return name;
  }

  /** Exactly this name. Throws GraphError `duplicate-name`. */
  claim(name: string): string {
    if (name === '' || this.#taken.has(name))
      throw new GraphError('duplicate-name', `The name "${name}" is ${name === '' ? 'empty' : 'taken'}`, {
        where: name,
        next: 'Give each input, parameter and output a name of its own',
      });
    this.#taken.add(name);
    return name;
  }
}
