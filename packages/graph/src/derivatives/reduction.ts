/** Derivatives of reductions: the gradient goes back to every element that was reduced. */
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { cast, div, equal, mul } from '../layers/arithmetic.js';
import { expand, reshape } from '../layers/layout.js';
import { reduceSum } from '../layers/reductions.js';
import { reducedAxes } from '../shapes/reduction.js';
import { sizeOf } from '../tensor/shape.js';
import type { GradientRule, GradientRules } from './rule.js';

/** `value`, which has the reduced shape, with its reduced axes as size 1. */
function kept(value: Value, node: Node): Value {
  const axes = reducedAxes(node);
  return reshape(
    value,
    node.input(0).shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
  );
}

const sum: GradientRule = ({ node, dy }) => [expand(kept(dy, node), node.input(0).shape)];

const mean: GradientRule = ({ node, dy }) => {
  const { shape } = node.input(0);
  return [expand(div(kept(dy, node), sizeOf(shape) / sizeOf(node.output.shape)), shape)];
};

/** Shared evenly among equal extremes, as PyTorch's amax. */
const extreme: GradientRule = ({ node, dy }) => {
  const x = node.input(0);
  const hits = cast(equal(x, kept(node.output, node)), dy.dtype);
  return [mul(hits, div(kept(dy, node), reduceSum(hits, reducedAxes(node), true)))];
};

const sumSquare: GradientRule = ({ node, dy }) => [mul(node.input(0), mul(kept(dy, node), 2))];

export const reductionGradients: GradientRules = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceSumSquare: sumSquare,
};
