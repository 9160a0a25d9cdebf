/**
 * Closed form of the derivative of a norm y = scale · x̂ + shift, x̂ = (x − mean) / deviation, statistics over `axes` included:
 * dx = scale / deviation · (dy − mean(dy) − x̂ · mean(dy · x̂)), where the sums of dy · x̂ and of dy are the gradients of scale and
 * shift. Two reductions and five elementwise passes instead of the fifteen of differentiation node by node; x̂ itself is
 * never made, only the centred x is kept.
 */
import type { Value } from '../graph/value.js';
import { sizeOf } from '../tensor/shape.js';
import { add, div, mul, reciprocal, sqrt, square, sub } from './arithmetic.js';
import { reduceMean, reduceSum } from './reductions.js';

export interface Standardised {
  /** x − mean. */
  readonly centred: Value;
  /** 1 / √(variance + ε), of size 1 along `axes`; `mean` and `variance` alike. */
  readonly inverse: Value;
  readonly mean: Value;
  readonly variance: Value;
  readonly axes: readonly number[];
}

export function standardise(x: Value, axes: readonly number[], epsilon: number): Standardised {
  const mean = reduceMean(x, axes, true);
  const centred = sub(x, mean);
  const variance = reduceMean(square(centred), axes, true);
  return { centred, inverse: reciprocal(sqrt(add(variance, epsilon))), mean, variance, axes };
}

export interface NormGradients {
  readonly x: Value;
  /** Σ dy · x̂ and Σ dy over the axes of the statistics, of size 1 there. */
  readonly slopes: Value;
  readonly sums: Value;
}

/** `scale` (1 if absent) must be the same along the axes of the statistics. */
export function normGradients(dy: Value, { centred, inverse, axes }: Standardised, scale?: Value): NormGradients {
  const count = sizeOf(axes.map((axis) => dy.shape[axis]));
  const sums = reduceSum(dy, axes, true);
  const slopes = mul(reduceSum(mul(dy, centred), axes, true), inverse);
  const common = add(mul(centred, div(mul(slopes, inverse), count)), div(sums, count));
  return { x: mul(sub(dy, common), scale ? mul(scale, inverse) : inverse), slopes, sums };
}
