/** Derivatives of norms in closed form (see layers/normalisation-gradient.ts) and of softmax. */
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { add, div, exp, mul, neg, reciprocal, sqrt, square, sub } from '../layers/arithmetic.js';
import { reshape } from '../layers/layout.js';
import { normalisationGradient } from '../layers/normalisation-gradient.js';
import { reduceMean, reduceSum, sumTo } from '../layers/reductions.js';
import { range } from '../tensor/shape.js';
import type { GradientRule, GradientRules } from './rule.js';

const softmax: GradientRule = ({ node, dy }) => {
  const y = node.output;
  const axis = node.axis(node.number('axis', -1), y.shape.length);
  return [mul(y, sub(dy, reduceSum(mul(dy, y), [axis], true)))];
};

const logSoftmax: GradientRule = ({ node, dy }) => {
  const y = node.output;
  const axis = node.axis(node.number('axis', -1), y.shape.length);
  return [sub(dy, mul(exp(y), reduceSum(dy, [axis], true)))];
};

/** A vector over channels, to broadcast over [batch, channels, space…]. */
const spread = (vector: Value, x: Value): Value => reshape(vector, [1, -1, ...range(2, x.shape.length).map(() => 1)]);

/** Statistics are worked out again from the input: cheaper than keeping the centred tensor through the whole step. */
function standardised(node: Node, axes: readonly number[]): { normalised: Value; deviation: Value } {
  const x = node.input(0);
  const centred = sub(x, reduceMean(x, axes, true));
  const variance = reduceMean(square(centred), axes, true);
  const deviation = sqrt(add(variance, node.number('epsilon', 1e-5)));
  return { normalised: div(centred, deviation), deviation };
}

/** y = scale · x̂ + bias. */
function affineGradients(
  { node, dy, wants }: Parameters<GradientRule>[0],
  axes: readonly number[],
  scale: Value,
): readonly (Value | undefined)[] {
  const { normalised, deviation } = standardised(node, axes);
  return [
    wants(0) ? normalisationGradient(mul(dy, scale), normalised, deviation, axes) : undefined,
    wants(1) ? reshape(sumTo(mul(dy, normalised), scale.shape), node.input(1).shape) : undefined,
    wants(2) ? reshape(sumTo(dy, scale.shape), node.input(1).shape) : undefined,
  ];
}

const instance: GradientRule = (backward) => {
  const x = backward.node.input(0);
  return affineGradients(backward, range(2, x.shape.length), spread(backward.node.input(1), x));
};

const layer: GradientRule = (backward) => {
  const { node } = backward;
  const rank = node.input(0).shape.length;
  const axis = node.axis(node.number('axis', -1), rank);
  const scale = node.input(1);
  return affineGradients(backward, range(axis, rank), reshape(scale, [...range(0, axis).map(() => 1), ...scale.shape]));
};

/** With given statistics: a scale and a shift per channel. */
const batch: GradientRule = ({ node, dy, wants }) => {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => node.input(i));
  const inverse = reciprocal(sqrt(add(variance, node.number('epsilon', 1e-5))));
  const axes = range(0, x.shape.length).filter((axis) => axis !== 1);
  const toScale = () => mul(reduceSum(mul(dy, sub(x, spread(mean, x))), axes), inverse);
  const toBias = () => reduceSum(dy, axes);
  return [
    wants(0) ? mul(dy, spread(mul(scale, inverse), x)) : undefined,
    wants(1) ? toScale() : undefined,
    wants(2) ? reshape(toBias(), bias.shape) : undefined,
    wants(3) ? neg(mul(toBias(), mul(scale, inverse))) : undefined,
    wants(4) ? mul(mul(toScale(), -0.5), mul(scale, square(inverse))) : undefined,
  ];
};

export const normalizationGradients: GradientRules = {
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  InstanceNormalization: instance,
  LayerNormalization: layer,
  BatchNormalization: batch,
};
