/** Derivatives of norms in closed form (see layers/normalisation-gradient.ts) and of softmax. */
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { add, exp, mul, neg, reciprocal, sqrt, square, sub } from '../layers/arithmetic.js';
import { reshape } from '../layers/layout.js';
import { normGradients, standardise } from '../layers/normalisation-gradient.js';
import { reduceSum, sumTo } from '../layers/reductions.js';
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
const standardised = (node: Node, axes: readonly number[]) =>
  standardise(node.input(0), axes, node.number('epsilon', 1e-5));

const instance: GradientRule = ({ node, dy, wants }) => {
  const x = node.input(0);
  const scale = spread(node.input(1), x);
  const gradients = normGradients(dy, standardised(node, range(2, x.shape.length)), scale);
  const perChannel = (value: Value) => reshape(sumTo(value, scale.shape), node.input(1).shape);
  return [
    wants(0) ? gradients.x : undefined,
    wants(1) ? perChannel(gradients.slopes) : undefined,
    wants(2) ? perChannel(gradients.sums) : undefined,
  ];
};

/** The scale runs along the normalised axes: it goes into the gradient first. */
const layer: GradientRule = ({ node, dy, wants }) => {
  const rank = node.input(0).shape.length;
  const axis = node.axis(node.number('axis', -1), rank);
  const scale = node.input(1);
  const statistics = standardised(node, range(axis, rank));
  return [
    wants(0) ? normGradients(mul(dy, scale), statistics).x : undefined,
    wants(1) ? sumTo(mul(dy, mul(statistics.centred, statistics.inverse)), scale.shape) : undefined,
    wants(2) ? sumTo(dy, scale.shape) : undefined,
  ];
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
