/** Pooling over [batch, channels, space…], options as in PyTorch (stride defaults to the kernel). */
import { GraphError } from '../errors/graph-error.js';
import type { Value } from '../graph/value.js';
import { concat, slices } from './layout.js';
import { reduceMax, reduceMean } from './reductions.js';
import { type PerAxis, perAxis, type WindowOptions, windowAttributes } from './windows.js';

export interface PoolOptions extends WindowOptions {
  /** Keeps a last, incomplete window. */
  readonly ceil?: boolean;
}

export function maxPool(x: Value, kernel: PerAxis, { ceil = false, ...window }: PoolOptions = {}): Value {
  const d = x.shape.length - 2;
  const attributes = {
    kernel_shape: perAxis(kernel, d),
    ...windowAttributes({ stride: kernel, ...window }, d),
    ceil_mode: ceil ? 1 : 0,
  };
  // The second output (where each maximum came from) costs little and is what the derivative needs.
  const outputs = x.graph.mode === 'train' ? 2 : 1;
  return x.graph.apply('MaxPool', [x], attributes, { outputs })[0];
}

export interface AveragePoolOptions extends Omit<WindowOptions, 'dilation'> {
  /** Whether padding counts as zeros (PyTorch's default) or not at all. */
  readonly countPadding?: boolean;
}

export function averagePool(
  x: Value,
  kernel: PerAxis,
  { countPadding = true, ...window }: AveragePoolOptions = {},
): Value {
  const d = x.shape.length - 2;
  const { strides, pads } = windowAttributes({ stride: kernel, ...window }, d);
  return x.graph.node('AveragePool', [x], {
    kernel_shape: perAxis(kernel, d),
    strides,
    pads,
    count_include_pad: countPadding ? 1 : 0,
  });
}

/** Means over all of space, as size 1. */
export const globalAveragePool = (x: Value): Value => x.graph.node('GlobalAveragePool', [x]);
export const globalMaxPool = (x: Value): Value =>
  reduceMax(
    x,
    x.shape.slice(2).map((_, i) => i + 2),
    true,
  );

/** PyTorch's adaptive pooling: window i of n reaches from ⌊i·size/n⌋ to ⌈(i+1)·size/n⌉. One pooling where they are all alike. */
export function adaptiveAveragePool(x: Value, size: PerAxis): Value {
  return adaptive(x, size, (part, axes) => reduceMean(part, axes, true), averagePool);
}

export function adaptiveMaxPool(x: Value, size: PerAxis): Value {
  return adaptive(x, size, (part, axes) => reduceMax(part, axes, true), maxPool);
}

function adaptive(
  x: Value,
  size: PerAxis,
  reduce: (part: Value, axes: readonly number[]) => Value,
  pool: (x: Value, kernel: PerAxis) => Value,
): Value {
  const spatial = x.shape.slice(2);
  const goal = perAxis(size, spatial.length);
  if (goal.some((n, i) => !(n >= 1) || n > spatial[i]))
    throw new GraphError('wrong-shape', `"${x.name}" (${spatial}) cannot be pooled to ${goal}`, { where: x.name });
  if (goal.every((n, i) => spatial[i] % n === 0))
    return pool(
      x,
      goal.map((n, i) => spatial[i] / n),
    );
  // Separable: mean of means and maximum of maxima hold because the windows of one axis do not depend on the others.
  return goal.reduce((whole, n, i) => {
    const from = spatial[i];
    const parts = Array.from({ length: n }, (_, k) =>
      reduce(
        slices(whole, [{ axis: i + 2, start: Math.floor((k * from) / n), end: Math.ceil(((k + 1) * from) / n) }]),
        [i + 2],
      ),
    );
    return concat(parts, i + 2);
  }, x);
}
