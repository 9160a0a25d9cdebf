/** The segmentation losses of InnerEye-DeepLearning (docs: innereye-deeplearning 2.5), which differ from MONAI's in their smoothing. */
import type { Value } from '../graph/value.js';
import { logSoftmax, softmax } from '../layers/activations.js';
import { add, div, exp, maximum, mul, neg, pow, sub } from '../layers/arithmetic.js';
import { reduceMean, reduceSum, reduceSumSquare } from '../layers/reductions.js';
import { stopGradient } from '../layers/stop-gradient.js';
import { range, sizeOf } from '../tensor/shape.js';
import { sameShapes, summedAxes } from './targets.js';

/** Added per voxel, so that its sum grows with the image. */
const EPSILON = 1e-10;
const FOCAL_EPSILON = 1e-6;

/** n_c^(−power) over the batch, rescaled to mean 1, [1, classes, 1…]; absent classes count as one voxel. */
export function inverseFrequencies(target: Value, power: number): Value {
  const axes = [0, ...range(2, target.shape.length)];
  const counts = maximum(reduceSum(target, axes, true), 1);
  const raw = pow(counts, -power);
  return stopGradient(div(raw, reduceMean(raw)));
}

export interface InnerEyeOptions {
  /** Power of the inverse class frequency; none if absent. */
  readonly classWeightPower?: number;
}

const weightsOf = (target: Value, power: number | undefined): Value | undefined =>
  power === undefined || power === 0 ? undefined : inverseFrequencies(target, power);

/** 1 − 2 · mean(w · Σ p·t / (Σ p² + Σ t²)), per sample and class, on the softmax. */
export function softDice(logits: Value, target: Value, { classWeightPower }: InnerEyeOptions = {}): Value {
  sameShapes(logits, target);
  const p = softmax(logits, 1);
  const axes = summedAxes(p);
  const smoothing = EPSILON * sizeOf(p.shape.slice(2));
  const common = add(reduceSum(mul(p, target), axes, true), smoothing);
  const sums = add(add(reduceSumSquare(p, axes, true), reduceSumSquare(target, axes, true)), 2 * smoothing);
  const ratio = div(common, sums);
  const weights = weightsOf(target, classWeightPower);
  return sub(1, mul(reduceMean(weights ? mul(weights, ratio) : ratio), 2));
}

/** Mean over voxels of −w_c · log p of the true class, times the focal factor (mean 1 over the batch) if `gamma` is given. */
export function weightedCrossEntropy(
  logits: Value,
  target: Value,
  { classWeightPower, gamma }: InnerEyeOptions & { readonly gamma?: number } = {},
): Value {
  sameShapes(logits, target);
  const logs = reduceSum(mul(logSoftmax(logits, 1), target), [1], true);
  const weights = weightsOf(target, classWeightPower);
  const weighed = weights ? mul(logs, reduceSum(mul(weights, target), [1], true)) : logs;
  if (gamma === undefined) return neg(reduceMean(weighed));
  const doubt = pow(add(sub(1, exp(logs)), FOCAL_EPSILON), gamma);
  return neg(reduceMean(mul(weighed, stopGradient(div(doubt, reduceMean(doubt))))));
}
