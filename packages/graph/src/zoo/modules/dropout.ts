/**
 * Dropout as a module. In training each mask comes from the key of the step (layers/dropout.ts), an int64 input of the graph under
 * the name below, made by the first dropout that needs it; whoever runs the step brings another number each time.
 */
import type { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { cast, greaterOrEqual, mul } from '../../layers/arithmetic.js';
import { dropout, randomWords } from '../../layers/dropout.js';
import { int64Scalar } from '../../layers/layout.js';
import type { Layer } from '../network.js';
import type { States } from '../states.js';

export const DROPOUT_KEY = 'dropout_key';

export const dropoutKey = (graph: Graph): Value =>
  graph.inputs.find(({ name }) => name === DROPOUT_KEY) ?? graph.input(DROPOUT_KEY, 'int64', []);

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
      : at.within(x.graph, () => dropout(x, probability, { key: dropoutKey(x.graph), layer, channels }));
}

const WORD = 2 ** 32;

/** Drops whole samples (stochastic depth, DropPath, drop_connect); what stays is divided by its probability. */
export function dropPathModule(at: States, probability: number): Layer {
  const layer = at.nextDropout();
  return (x) => {
    if (x.graph.mode === 'infer' || probability === 0) return x;
    return at.within(x.graph, () => {
      const words = randomWords(
        dropoutKey(x.graph),
        layer,
        x.shape.map((n, axis) => (axis === 0 ? n : 1)),
      );
      const kept = greaterOrEqual(words, int64Scalar(words, Math.round(probability * WORD)));
      return mul(x, mul(cast(kept, x.dtype), 1 / (1 - probability)));
    });
  };
}
