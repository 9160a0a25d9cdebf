/** Weights to start a training from: every parameter as its layer wishes, the same numbers for the same seed on every machine. */
import type { Graph } from '../graph/graph.js';
import type { Initial } from '../graph/value.js';
import { sizeOf } from '../tensor/shape.js';
import { type Tensor, tensorOf } from '../tensor/tensor.js';

/** Each parameter has a stream of its own (seed and name), so that a changed network keeps the weights of what did not change. */
export function initialWeights(graph: Graph, seed: number): Map<string, Tensor> {
  return new Map(
    graph.parameters.map(({ name, dtype, shape, initial }) => {
      const next = draws(initial, uniform(seed, name));
      return [name, tensorOf(dtype, shape, Float64Array.from({ length: sizeOf(shape) }, next))];
    }),
  );
}

function draws(initial: Initial, random: () => number): () => number {
  switch (initial.kind) {
    case 'constant':
      return () => initial.value;
    case 'uniform':
      return () => (2 * random() - 1) * initial.bound;
    case 'normal':
      // Box and Muller; log(0) cannot happen, as random() stays below 1.
      return () =>
        initial.mean + initial.deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }
}

/** Uniform in [0, 1): a 32-bit counter through the mixer of MurmurHash3; the start from seed and name by FNV-1a. */
function uniform(seed: number, name: string): () => number {
  let state = 0x811c9dc5 ^ seed;
  for (const byte of new TextEncoder().encode(name)) state = Math.imul(state ^ byte, 0x01000193);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return ((word ^ (word >>> 16)) >>> 0) / 2 ** 32;
  };
}
