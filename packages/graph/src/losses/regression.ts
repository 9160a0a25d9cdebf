/** Losses of distance, mean over everything. */
import type { Value } from '../graph/value.js';
import { abs, less, mul, square, sub, where } from '../layers/arithmetic.js';
import { reduceMean } from '../layers/reductions.js';
import { sameShapes } from './targets.js';

export function meanSquaredError(prediction: Value, target: Value): Value {
  sameShapes(prediction, target);
  return reduceMean(square(sub(prediction, target)));
}

export function meanAbsoluteError(prediction: Value, target: Value): Value {
  sameShapes(prediction, target);
  return reduceMean(abs(sub(prediction, target)));
}

/** Squared below `beta`, absolute above (PyTorch's SmoothL1Loss). */
export function smoothL1(prediction: Value, target: Value, beta = 1): Value {
  sameShapes(prediction, target);
  const distance = abs(sub(prediction, target));
  return reduceMean(where(less(distance, beta), mul(square(distance), 0.5 / beta), sub(distance, beta / 2)));
}
