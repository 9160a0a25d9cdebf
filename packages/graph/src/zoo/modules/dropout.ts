/**
 * Dropout as a module. In training each mask comes from the number of the step (an input of every training step, see
 * steps/step-inputs.ts), a seed for the whole graph and a number for each dropout.
 */
import type { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { cast, greaterOrEqual, mul } from '../../layers/arithmetic.js';
import { dropout, randomWords } from '../../layers/dropout.js';
import { int64Scalar } from '../../layers/layout.js';
import { dropoutKey } from '../../steps/step-inputs.js';
import type { Layer } from '../network.js';
import type { States } from '../states.js';

const seeds = new WeakMap<Graph, number>();
const keys = new WeakMap<Graph, Value>();

/** Before the network is called; 0 unless set. */
export function seedDropout(graph: Graph, seed: number): void {
  seeds.set(graph, seed);
}

function keyOf(graph: Graph): Value {
  const known = keys.get(graph) ?? dropoutKey(graph, seeds.get(graph) ?? 0);
  keys.set(graph, known);
  return known;
}

export interface DropoutModule {
  readonly probability: number;
  /** Whole channels, as Dropout2d and Dropout3d. */
  readonly channels?: boolean;
}

export function dropoutModule(at: States, { probability, channels = false }: DropoutModule): Layer {
  const layer = at.nextDropout();
  return (x) =>
    x.graph.mode === 'infer' || probability === 0
      ? x
      : at.within(x.graph, () => dropout(x, probability, { key: keyOf(x.graph), layer, channels }));
}

const WORD = 2 ** 32;

/** Drops whole samples (stochastic depth, DropPath, drop_connect); what stays is divided by its probability. */
export function dropPathModule(at: States, probability: number): Layer {
  const layer = at.nextDropout();
  return (x) => {
    if (x.graph.mode === 'infer' || probability === 0) return x;
    return at.within(x.graph, () => {
      const words = randomWords(
        keyOf(x.graph),
        layer,
        x.shape.map((n, axis) => (axis === 0 ? n : 1)),
      );
      const kept = greaterOrEqual(words, int64Scalar(words, Math.round(probability * WORD)));
      return mul(x, mul(cast(kept, x.dtype), 1 / (1 - probability)));
    });
  };
}
