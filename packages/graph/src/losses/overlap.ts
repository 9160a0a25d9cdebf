/** Losses of overlap, as MONAI defines them: Dice, generalised Dice, Tversky. Each answers one number, the mean over what is left. */
import type { Value } from '../graph/value.js';
import { add, cast, div, equal, mul, reciprocal, square, sub, where } from '../layers/arithmetic.js';
import { reduceMax, reduceMean, reduceSum } from '../layers/reductions.js';
import { prepare, summedAxes, type TargetOptions } from './targets.js';

const SMOOTH = 1e-5;

export interface DiceOptions extends TargetOptions {
  /** Squares in the denominator. */
  readonly squared?: boolean;
  /** Intersection over union instead of Dice. */
  readonly jaccard?: boolean;
  /** Sums over the batch too, so that empty samples do not count by themselves. */
  readonly batch?: boolean;
  readonly smoothNumerator?: number;
  readonly smoothDenominator?: number;
}

/** 1 − (2 Σ p·g + s) / (Σ p + Σ g + s), mean over batch and classes. */
export function diceLoss(logits: Value, target: Value, options: DiceOptions = {}): Value {
  const {
    squared = false,
    jaccard = false,
    batch = false,
    smoothNumerator = SMOOTH,
    smoothDenominator = SMOOTH,
  } = options;
  const { probabilities: p, target: g } = prepare(logits, target, options);
  const axes = summedAxes(p, batch);
  const total = (x: Value) => reduceSum(squared ? square(x) : x, axes);
  const common = reduceSum(mul(p, g), axes);
  const sums = add(total(p), total(g));
  const denominator = jaccard ? mul(sub(sums, common), 2) : sums;
  return sub(1, reduceMean(div(add(mul(common, 2), smoothNumerator), add(denominator, smoothDenominator))));
}

export interface GeneralizedDiceOptions extends TargetOptions {
  readonly batch?: boolean;
}

/** Dice summed over the classes, each weighted by 1 / (Σ g)²; an absent class by the largest weight of the others. */
export function generalizedDiceLoss(logits: Value, target: Value, options: GeneralizedDiceOptions = {}): Value {
  const { batch = false } = options;
  const { probabilities: p, target: g } = prepare(logits, target, options);
  const axes = summedAxes(p, batch);
  const volumes = reduceSum(g, axes);
  const classes = [volumes.shape.length - 1];
  const empty = equal(volumes, 0);
  const present = where(empty, 0, reciprocal(square(where(empty, 1, volumes))));
  const weights = add(present, mul(cast(empty, p.dtype), reduceMax(present, classes, true)));
  const common = reduceSum(mul(weights, reduceSum(mul(p, g), axes)), classes);
  const sums = reduceSum(mul(weights, add(volumes, reduceSum(p, axes))), classes);
  return sub(1, reduceMean(div(add(mul(common, 2), SMOOTH), add(sums, SMOOTH))));
}

export interface TverskyOptions extends TargetOptions {
  /** Weights of false positives and of false negatives. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly batch?: boolean;
}

/** 1 − (TP + s) / (TP + α FP + β FN + s). */
export function tverskyLoss(logits: Value, target: Value, options: TverskyOptions = {}): Value {
  const { alpha = 0.5, beta = 0.5, batch = false } = options;
  const { probabilities: p, target: g } = prepare(logits, target, options);
  const axes = summedAxes(p, batch);
  const hits = reduceSum(mul(p, g), axes);
  const wrong = mul(reduceSum(mul(p, sub(1, g)), axes), alpha);
  const missed = mul(reduceSum(mul(sub(1, p), g), axes), beta);
  return sub(1, reduceMean(div(add(hits, SMOOTH), add(add(hits, add(wrong, missed)), SMOOTH))));
}
