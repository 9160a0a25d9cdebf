/**
 * How weights start. PyTorch's defaults: uniform within ±1/√fan_in for weights and biases of convolutions and linear layers
 * (its `kaiming_uniform_(a = √5)` is just that); many networks draw them anew, from a normal distribution after He et al. 2015.
 * `fan_in` is the product of all axes but the first, also of a transposed convolution, whose first axis is its inputs: so PyTorch.
 */
import type { Initial } from '../graph/value.js';
import { type Shape, sizeOf } from '../tensor/shape.js';

export interface InitialPair {
  readonly weight: Initial;
  readonly bias: Initial;
}

/** Each gets the shape of the weight. */
export interface InitialRules {
  readonly conv: (shape: Shape) => InitialPair;
  readonly transposed: (shape: Shape) => InitialPair;
  readonly linear: (shape: Shape) => InitialPair;
}

export const zero: Initial = { kind: 'constant', value: 0 };
export const one: Initial = { kind: 'constant', value: 1 };
export const normal = (deviation: number): Initial => ({ kind: 'normal', mean: 0, deviation });
export const uniform = (bound: number): Initial => ({ kind: 'uniform', bound });

const fanIn = (shape: Shape): number => sizeOf(shape.slice(1));
const fanOut = (shape: Shape): number => shape[0] * sizeOf(shape.slice(2));

function torchDefault(shape: Shape): InitialPair {
  const rule = uniform(1 / Math.sqrt(fanIn(shape)));
  return { weight: rule, bias: rule };
}

export const torchInitial: InitialRules = { conv: torchDefault, transposed: torchDefault, linear: torchDefault };

/** The gain of a leaky ReLU of slope a over √fan. */
const kaiming = (fan: number, slope = 0): Initial => normal(Math.sqrt(2 / ((1 + slope * slope) * fan)));

/** `kaiming_normal_` for convolutions, zero biases of linear layers; biases of convolutions stay as they are. */
export const kaimingNormal: InitialRules = {
  ...torchInitial,
  conv: (shape) => ({ weight: kaiming(fanIn(shape)), bias: torchDefault(shape).bias }),
  linear: (shape) => ({ weight: torchDefault(shape).weight, bias: zero }),
};

/** The same over fan_out, as ResNets have it. */
export const kaimingNormalOut: InitialRules = {
  ...kaimingNormal,
  conv: (shape) => ({ weight: kaiming(fanOut(shape)), bias: torchDefault(shape).bias }),
};

/** nnU-Net's: for a leaky ReLU of 0.01, no bias to begin with. */
export const kaimingLeaky: InitialRules = {
  ...torchInitial,
  conv: (shape) => ({ weight: kaiming(fanIn(shape), 0.01), bias: zero }),
  transposed: (shape) => ({ weight: kaiming(fanIn(shape), 0.01), bias: zero }),
};

/** EfficientNet's: fan_out without regard to groups, and a uniform last layer. */
export const efficientInitial: InitialRules = {
  ...torchInitial,
  conv: (shape) => ({ weight: kaiming(fanOut(shape)), bias: zero }),
  linear: (shape) => ({ weight: uniform(1 / Math.sqrt(shape[0])), bias: zero }),
};
