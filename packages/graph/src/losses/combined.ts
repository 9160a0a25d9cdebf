/** Weighted sums of losses. */
import type { Value } from '../graph/value.js';
import { add, mul } from '../layers/arithmetic.js';
import { type CrossEntropyOptions, crossEntropy, entropyOf, type FocalOptions, focalLoss } from './entropy.js';
import { type DiceOptions, diceLoss, type TverskyOptions, tverskyLoss } from './overlap.js';

export interface Shares {
  readonly dice?: number;
  readonly other?: number;
}

/** Dice plus cross-entropy (binary for one channel); the activation of the Dice part is as in `options`, softmax if not said. */
export function diceCrossEntropy(
  logits: Value,
  target: Value,
  { dice = 1, other = 1, weights, ...options }: DiceOptions & CrossEntropyOptions & Shares = {},
): Value {
  const activation = options.activation ?? (logits.shape[1] === 1 ? 'sigmoid' : 'softmax');
  const entropy = weights ? crossEntropy(logits, target, { weights }) : entropyOf(logits, target);
  return add(mul(diceLoss(logits, target, { ...options, activation }), dice), mul(entropy, other));
}

export function diceFocal(
  logits: Value,
  target: Value,
  {
    dice = 1,
    other = 1,
    gamma,
    alpha,
    activation = 'sigmoid',
    ...options
  }: Omit<DiceOptions, 'activation'> & FocalOptions & Shares = {},
): Value {
  const focal = focalLoss(logits, target, { gamma, alpha, activation, includeBackground: options.includeBackground });
  return add(mul(diceLoss(logits, target, { ...options, activation }), dice), mul(focal, other));
}

export function tverskyFocal(
  logits: Value,
  target: Value,
  {
    dice = 1,
    other = 1,
    gamma,
    activation = 'sigmoid',
    ...options
  }: Omit<TverskyOptions, 'activation'> & Omit<FocalOptions, 'alpha'> & Shares = {},
): Value {
  const focal = focalLoss(logits, target, { gamma, activation, includeBackground: options.includeBackground });
  return add(mul(tverskyLoss(logits, target, { ...options, activation }), dice), mul(focal, other));
}
