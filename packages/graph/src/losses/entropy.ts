/** Losses of likelihood, from logits and without overflow: cross-entropy, binary cross-entropy, focal. */
import type { Value } from '../graph/value.js';
import { logSigmoid, logSoftmax, softplus } from '../layers/activations.js';
import { add, exp, mul, neg, pow, sub } from '../layers/arithmetic.js';
import { slice } from '../layers/layout.js';
import { reduceMean, reduceSum } from '../layers/reductions.js';
import { range } from '../tensor/shape.js';
import { tensorOf } from '../tensor/tensor.js';
import { sameShapes } from './targets.js';

/** A number for each class as a constant that broadcasts over [batch, classes, space…]. */
function perClass(like: Value, weights: readonly number[]): Value {
  const shape = [1, weights.length, ...range(2, like.shape.length).map(() => 1)];
  return like.graph.constant(tensorOf(like.dtype, shape, weights), 'class_weights');
}

export interface CrossEntropyOptions {
  /** A weight for each class. The mean is plain, not divided by the weights (as PyTorch does with probabilities as target). */
  readonly weights?: readonly number[];
}

/** −Σ_c t_c · log softmax(x)_c, mean over batch and space. `target` holds probabilities (one-hot), as `logits` [batch, classes, space…]. */
export function crossEntropy(logits: Value, target: Value, { weights }: CrossEntropyOptions = {}): Value {
  sameShapes(logits, target);
  const terms = mul(logSoftmax(logits, 1), target);
  return neg(reduceMean(reduceSum(weights ? mul(terms, perClass(logits, weights)) : terms, [1])));
}

/** Elementwise, mean over everything: softplus(x) − x·t, where softplus(x) = −log(1 − sigmoid x). */
export function binaryCrossEntropy(logits: Value, target: Value): Value {
  sameShapes(logits, target);
  return reduceMean(sub(softplus(logits), mul(logits, target)));
}

export interface FocalOptions {
  readonly gamma?: number;
  /** Share of the positive class (sigmoid), of all but the background (softmax). */
  readonly alpha?: number;
  readonly includeBackground?: boolean;
  readonly activation?: 'sigmoid' | 'softmax';
}

/** (1 − p_t)^γ · (−log p_t), mean over everything; with softmax over the class that is meant, others counting as 0. */
export function focalLoss(logits: Value, target: Value, options: FocalOptions = {}): Value {
  const { gamma = 2, alpha, includeBackground = true, activation = 'sigmoid' } = options;
  sameShapes(logits, target);
  const pick = (x: Value) => (includeBackground || x.shape[1] === 1 ? x : slice(x, 1, 1, x.shape[1]));
  const t = pick(target);
  if (activation === 'softmax') {
    const logs = pick(logSoftmax(logits, 1));
    const terms = neg(mul(mul(pow(sub(1, exp(logs)), gamma), logs), t));
    if (alpha === undefined) return reduceMean(terms);
    const weights = range(0, t.shape[1]).map((i) => (i === 0 && includeBackground ? 1 - alpha : alpha));
    return reduceMean(mul(terms, perClass(t, weights)));
  }
  const x = pick(logits);
  // With s = 2t − 1: p_t = sigmoid(s·x), for targets that are 0 or 1.
  const signed = mul(x, sub(mul(t, 2), 1));
  const terms = mul(exp(mul(logSigmoid(neg(signed)), gamma)), neg(logSigmoid(signed)));
  return reduceMean(alpha === undefined ? terms : mul(terms, add(mul(t, 2 * alpha - 1), 1 - alpha)));
}

/** Cross-entropy for several classes, binary for a single channel. */
export const entropyOf = (logits: Value, target: Value): Value =>
  logits.shape[1] === 1 ? binaryCrossEntropy(logits, target) : crossEntropy(logits, target);
