/** Where modules declare their tensors: a place in the tree of names, all places sharing one list. */
import type { Graph } from '../graph/graph.js';
import type { Initial, Parameter } from '../graph/value.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { InitialRules } from './initial-rules.js';
import type { State } from './network.js';

/** A declared tensor, as parameter of the graph that a module is called in. */
export type Weight = (graph: Graph) => Parameter;

interface Shared {
  readonly states: State[];
  readonly aliases: Map<string, string>;
  dropouts: number;
}

export class States {
  readonly #shared: Shared;
  readonly #path: string;

  /** How weights of this place start. */
  readonly initial: InitialRules;

  private constructor(shared: Shared, path: string, initial: InitialRules) {
    this.#shared = shared;
    this.#path = path;
    this.initial = initial;
  }

  static root(initial: InitialRules): States {
    return new States({ states: [], aliases: new Map(), dropouts: 0 }, '', initial);
  }

  get all(): readonly State[] {
    return this.#shared.states;
  }

  get aliases(): ReadonlyMap<string, string> {
    return this.#shared.aliases;
  }

  /** The place below, `path` with dots as in PyTorch. */
  under(path: string | number): States {
    return new States(this.#shared, this.#name(String(path)), this.initial);
  }

  /** The same place with another rule for what is declared below it. */
  starting(initial: InitialRules): States {
    return new States(this.#shared, this.#path, initial);
  }

  parameter(name: string, shape: Shape, initial: Initial): Weight {
    return this.#add({ name: this.#name(name), shape, dtype: 'float32', kind: 'parameter', initial });
  }

  buffer(name: string, shape: Shape, value: number, dtype: DType = 'float32'): Weight {
    const initial: Initial = { kind: 'constant', value };
    return this.#add({ name: this.#name(name), shape, dtype, kind: 'buffer', initial });
  }

  /** A table that belongs to the state_dict and never changes. */
  fixed(name: string, shape: Shape, dtype: DType, contents: () => Tensor): void {
    const initial: Initial = { kind: 'constant', value: 0 };
    this.#add({ name: this.#name(name), shape, dtype, kind: 'fixed', initial, contents });
  }

  /** A tensor that PyTorch's module has and never calls: kept in the state_dict, may be missing from a checkpoint. */
  unused(name: string, shape: Shape, value: number): void {
    const initial: Initial = { kind: 'constant', value };
    this.#add({ name: this.#name(name), shape, dtype: 'float32', kind: 'unused', initial });
  }

  /** All tensors below this place (all of `from`) once more under `to`: a module that PyTorch registers twice. */
  alias(from: string, to: string): void {
    const [source, target] = [`${this.#name(from)}.`, `${this.#name(to)}.`];
    for (const { name } of this.#shared.states)
      if (name.startsWith(source)) this.#shared.aliases.set(target + name.slice(source.length), name);
  }

  /** A number of its own for each dropout of the network, in order of making. */
  nextDropout(): number {
    return this.#shared.dropouts++;
  }

  /** Runs `body` with this place as scope, so that its nodes carry the name of their module. */
  within<T>(graph: Graph, body: () => T): T {
    return this.#path === '' ? body() : graph.scope(this.#path.replaceAll('.', '/'), body);
  }

  #name(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #add(state: State): Weight {
    this.#shared.states.push(state);
    const { name, shape, kind, initial } = state;
    return (graph) => graph.parameter(name, shape, { trainable: kind === 'parameter', initial });
  }
}
