/** Scaled dot-product attention, composed of products and a softmax; differentiated node by node. */
import type { Value } from '../graph/value.js';
import { softmax } from './activations.js';
import { add, mul } from './arithmetic.js';
import { transposeLast } from './layout.js';
import { matMul } from './matrix.js';

export interface AttentionOptions {
  /** 1/√d if not given. */
  readonly scale?: number;
  /** Added to the scores before the softmax; broadcasts: position biases, −100 or −∞ where not allowed. */
  readonly bias?: Value;
  /** Applied to the weights, as dropout is. */
  readonly onWeights?: (weights: Value) => Value;
}

/** query [..., n, d], key [..., m, d], value [..., m, e] to [..., n, e]. */
export function attention(query: Value, key: Value, value: Value, options: AttentionOptions = {}): Value {
  const {
    scale = 1 / Math.sqrt(query.shape[query.shape.length - 1]),
    bias,
    onWeights = (weights) => weights,
  } = options;
  const scores = matMul(mul(query, scale), transposeLast(key));
  return matMul(onWeights(softmax(bias ? add(scores, bias) : scores, -1)), value);
}
