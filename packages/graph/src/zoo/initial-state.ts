/** First weights, drawn from a generator that the caller seeds: the same seed gives the same network on every machine. */
import type { Initial } from '../graph/value.js';
import { sizeOf } from '../tensor/shape.js';
import { type Tensor, tensorOf } from '../tensor/tensor.js';
import type { Network } from './network.js';

/** Uniform in [0, 1). */
export type Random = () => number;

/**
 * One tensor for each state, drawn in state_dict order. The distributions are PyTorch's (see initial-rules.ts), the numbers are
 * not: PyTorch's generator is another, and it draws in the order of making. Where the same start is wanted, load a file.
 */
export const initialState = ({ states }: Network, random: Random): ReadonlyMap<string, Tensor> =>
  new Map(
    states.map(({ name, shape, dtype, initial, contents }) => [
      name,
      contents?.() ?? tensorOf(dtype, shape, drawn(initial, sizeOf(shape), random)),
    ]),
  );

function drawn(initial: Initial, count: number, random: Random): Float32Array {
  const data = new Float32Array(count);
  switch (initial.kind) {
    case 'constant':
      return data.fill(initial.value);
    case 'uniform':
      for (let i = 0; i < count; i++) data[i] = (2 * random() - 1) * initial.bound;
      return data;
    case 'normal':
      // Two at a time (Box and Muller).
      for (let i = 0; i < count; i += 2) {
        const radius = initial.deviation * Math.sqrt(-2 * Math.log(1 - random()));
        const angle = 2 * Math.PI * random();
        data[i] = initial.mean + radius * Math.cos(angle);
        if (i + 1 < count) data[i + 1] = initial.mean + radius * Math.sin(angle);
      }
      return data;
  }
}

/** A small generator for those who have none (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
