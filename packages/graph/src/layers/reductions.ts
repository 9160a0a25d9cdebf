/** Sums, means and extremes over axes (all, if none are named); `keep` leaves them as size 1. */
import type { Value } from '../graph/value.js';
import { range, type Shape, sameShape } from '../tensor/shape.js';
import { int64s } from '../tensor/tensor.js';
import { reshape } from './layout.js';

const reduction =
  (operator: string) =>
  (x: Value, axes: readonly number[] = range(0, x.shape.length), keep = false): Value =>
    axes.length === 0 ? x : x.graph.node(operator, [x, x.graph.constant(int64s(axes))], { keepdims: keep ? 1 : 0 });

export const reduceSum = reduction('ReduceSum');
export const reduceMean = reduction('ReduceMean');
export const reduceMax = reduction('ReduceMax');
export const reduceMin = reduction('ReduceMin');
export const reduceSumSquare = reduction('ReduceSumSquare');

export const argMax = (x: Value, axis = 1, keep = false): Value =>
  x.graph.node('ArgMax', [x], { axis, keepdims: keep ? 1 : 0 });

/** Sums `x` down to a shape that broadcasts to it: the gradient of broadcasting. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const axes = range(0, x.shape.length).filter((axis) => axis < added || shape[axis - added] !== x.shape[axis]);
  return reshape(reduceSum(x, axes, true), shape);
}
