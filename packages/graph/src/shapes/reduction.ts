/** Reductions over axes, given (as since opset 18) by a constant input; none means all. */

import type { Node } from '../graph/node.js';
import { range } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';

/** The axes of a reduction, counted from the front and sorted. */
export function reducedAxes(node: Node): number[] {
  const rank = node.input(0).shape.length;
  const axes = node.inputs[1] ? node.constant(1) : [];
  if (axes.length === 0) return node.number('noop_with_empty_axes', 0) ? [] : range(0, rank);
  return axes.map((axis) => node.axis(axis, rank)).sort((a, b) => a - b);
}

const reduce: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const axes = reducedAxes(node);
  return [{ dtype, shape: without(shape, axes, node.number('keepdims', 1) === 1) }];
};

const argument: ShapeRule = (node) => {
  const { shape } = node.input(0);
  const axis = node.axis(node.number('axis', 0), shape.length);
  return [{ dtype: 'int64', shape: without(shape, [axis], node.number('keepdims', 1) === 1) }];
};

const without = (shape: readonly number[], axes: readonly number[], keep: boolean): number[] =>
  shape.flatMap((n, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [n]));

export const reductionShapes: ShapeRules = {
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ReduceMin: reduce,
  ReduceSumSquare: reduce,
  ArgMax: argument,
};
