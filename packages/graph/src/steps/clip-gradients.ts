/** Gradient clipping, as torch.nn.utils does it. */
import type { Value } from '../graph/value.js';
import { add, clip, div, minimum, mul, sqrt, sum } from '../layers/arithmetic.js';
import { reduceSumSquare } from '../layers/reductions.js';

export type Clipping = { readonly norm: number } | { readonly value: number };

/** Added to the norm, so that a zero gradient does not divide by zero. */
const NORM_EPSILON = 1e-6;

/** The 2-norm of all gradients together. */
export function globalNorm(gradients: readonly Value[]): Value {
  const [first, ...rest] = gradients.map((gradient) => reduceSumSquare(gradient));
  return sqrt(sum(first, ...rest));
}

export function clipGradients(gradients: readonly Value[], clipping: Clipping): readonly Value[] {
  if (gradients.length === 0) return gradients;
  if ('value' in clipping) return gradients.map((gradient) => clip(gradient, -clipping.value, clipping.value));
  const factor = minimum(div(clipping.norm, add(globalNorm(gradients), NORM_EPSILON)), 1);
  return gradients.map((gradient) => mul(gradient, factor));
}
