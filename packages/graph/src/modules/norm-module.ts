/** Norms and PReLU that declare their own parameters, under PyTorch's keys. */
import type { Value } from '../graph/value.js';
import { prelu } from '../layers/activations.js';
import { add, constantLike } from '../layers/arithmetic.js';
import { reshape } from '../layers/layout.js';
import { type Affine, batchNorm, groupNorm, instanceNorm, layerNorm } from '../layers/normalization.js';
import { range } from '../tensor/shape.js';
import { filledWith } from './fan.js';

interface NormOptions {
  readonly epsilon?: number;
  readonly affine?: boolean;
}

function scaleAndShift({ graph, dtype }: Value, name: string, shape: readonly number[], affine: boolean): Affine {
  if (!affine) return {};
  return {
    weight: graph.parameter(`${name}.weight`, shape, { dtype, initial: filledWith(1) }),
    bias: graph.parameter(`${name}.bias`, shape, { dtype }),
  };
}

export function batchNormModule(
  x: Value,
  name: string,
  { affine = true, ...options }: NormOptions & { readonly momentum?: number } = {},
): Value {
  const { graph, dtype } = x;
  const channels = [x.shape[1]];
  const vectors = scaleAndShift(x, name, channels, affine);
  const runningMean = graph.parameter(`${name}.running_mean`, channels, { dtype, trainable: false });
  const runningVariance = graph.parameter(`${name}.running_var`, channels, {
    dtype,
    trainable: false,
    initial: filledWith(1),
  });
  // Nothing reads it; PyTorch's state dicts have it.
  const seen = graph.parameter(`${name}.num_batches_tracked`, [], { dtype: 'int64', trainable: false });
  return graph.scope(name, () => {
    if (graph.mode === 'train') graph.update(seen, add(seen, constantLike(seen, 1)));
    return batchNorm(x, { ...vectors, runningMean, runningVariance, ...options });
  });
}

/** Without tensors of its own unless `affine`, as in PyTorch. */
export const instanceNormModule = (x: Value, name: string, { affine = false, epsilon }: NormOptions = {}): Value =>
  x.graph.scope(name, () => instanceNorm(x, { ...scaleAndShift(x, name, [x.shape[1]], affine), epsilon }));

export const groupNormModule = (
  x: Value,
  name: string,
  groups: number,
  { affine = true, epsilon }: NormOptions = {},
): Value =>
  x.graph.scope(name, () => groupNorm(x, groups, { ...scaleAndShift(x, name, [x.shape[1]], affine), epsilon }));

/** Over the last axis. */
export const layerNormModule = (x: Value, name: string, { affine = true, epsilon }: NormOptions = {}): Value =>
  x.graph.scope(name, () =>
    layerNorm(x, { ...scaleAndShift(x, name, [x.shape[x.shape.length - 1]], affine), epsilon, axes: 1 }),
  );

/** One slope for all (PyTorch's default) or one per channel. */
export function preluModule(x: Value, name: string, { slopes = 1, start = 0.25 } = {}): Value {
  const slope = x.graph.parameter(`${name}.weight`, [slopes], { dtype: x.dtype, initial: filledWith(start) });
  const shaped = slopes === 1 ? slope : reshape(slope, [slopes, ...range(2, x.shape.length).map(() => 1)]);
  return x.graph.scope(name, () => prelu(x, shaped));
}
