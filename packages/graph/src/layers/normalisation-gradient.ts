/**
 * Closed form of the derivative of x̂ = (x − mean) / deviation, statistics over `axes` included:
 * dx = (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂)) / deviation. Two reductions and a few elementwise passes instead of the ten that
 * differentiation node by node would give.
 */
import type { Value } from '../graph/value.js';
import { add, div, mul, sub } from './arithmetic.js';
import { reduceMean } from './reductions.js';

/** `deviation` has size 1 along `axes`. */
export function normalisationGradient(dy: Value, normalised: Value, deviation: Value, axes: readonly number[]): Value {
  const mean = reduceMean(dy, axes, true);
  const slope = reduceMean(mul(dy, normalised), axes, true);
  return div(sub(dy, add(mul(normalised, slope), mean)), deviation);
}
