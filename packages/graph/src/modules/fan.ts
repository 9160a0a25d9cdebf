/** How PyTorch starts weights when nobody says otherwise. */
import type { Initial } from '../graph/value.js';
import { type Shape, sizeOf } from '../tensor/shape.js';

/** Numbers that flow into one output: all axes of the weight but the first. */
export const fanIn = (weight: Shape): number => sizeOf(weight.slice(1));

/** PyTorch's default for convolutions and linear layers, weights and biases: uniform within 1 / √fan. */
export const defaultInitial = (weight: Shape): Initial => ({ kind: 'uniform', bound: 1 / Math.sqrt(fanIn(weight)) });

/** He et al. 2015 for ReLU: normal with deviation √(2 / fan). */
export const kaimingNormal = (weight: Shape): Initial => ({
  kind: 'normal',
  mean: 0,
  deviation: Math.sqrt(2 / fanIn(weight)),
});

export const filledWith = (value: number): Initial => ({ kind: 'constant', value });
