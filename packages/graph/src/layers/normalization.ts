/** Norms, as PyTorch's: variances are biased (divided by n) when they normalise, eps is added to the variance. */
import { GraphError } from '../errors/graph-error.js';
import type { Parameter, Value } from '../graph/value.js';
import { range, sizeOf } from '../tensor/shape.js';
import { tensorOf } from '../tensor/tensor.js';
import { add, div, mul, sqrt, square } from './arithmetic.js';
import { reshape } from './layout.js';
import { normGradients, standardise } from './normalisation-gradient.js';
import { reduceSum } from './reductions.js';

/** Scale and shift, one number per channel; absent ones are 1 and 0. */
export interface Affine {
  readonly weight?: Value;
  readonly bias?: Value;
}

const EPSILON = 1e-5;

/** A vector [channels] made to broadcast over [batch, channels, space…]. */
const overChannels = (vector: Value, rank: number): Value =>
  reshape(vector, [1, vector.shape[0], ...range(2, rank).map(() => 1)]);

function affine(x: Value, { weight, bias }: Affine): Value {
  const scaled = weight ? mul(x, overChannels(weight, x.shape.length)) : x;
  return bias ? add(scaled, overChannels(bias, x.shape.length)) : scaled;
}

/** Per sample and channel over space. */
export function instanceNorm(x: Value, { weight, bias, epsilon = EPSILON }: Affine & { epsilon?: number } = {}): Value {
  const channels = x.shape[1];
  const vector = (value: number) =>
    x.graph.constant(
      tensorOf(
        x.dtype,
        [channels],
        range(0, channels).map(() => value),
      ),
    );
  return x.graph.node('InstanceNormalization', [x, weight ?? vector(1), bias ?? vector(0)], { epsilon });
}

/** Per sample and group of channels: an instance norm over the groups. */
export function groupNorm(x: Value, groups: number, options: Affine & { epsilon?: number } = {}): Value {
  const [batch, channels, ...spatial] = x.shape;
  if (channels % groups !== 0)
    throw new GraphError('wrong-shape', `${channels} channels of "${x.name}" do not make ${groups} groups`, {
      where: x.name,
    });
  const flat = reshape(x, [batch, groups, (channels / groups) * sizeOf(spatial)]);
  return affine(reshape(instanceNorm(flat, { epsilon: options.epsilon }), x.shape), options);
}

/** Over the last axes, those of `weight` (or of `axes`, if there is none). */
export function layerNorm(
  x: Value,
  {
    weight,
    bias,
    epsilon = EPSILON,
    axes = weight?.shape.length ?? 1,
  }: Affine & { epsilon?: number; axes?: number } = {},
): Value {
  const shape = x.shape.slice(x.shape.length - axes);
  const scale = weight ?? x.graph.constant(tensorOf(x.dtype, shape, new Float32Array(sizeOf(shape)).fill(1)), 'ones');
  return x.graph.node('LayerNormalization', bias ? [x, scale, bias] : [x, scale], { axis: -axes, epsilon });
}

export interface BatchNormOptions extends Affine {
  readonly runningMean: Parameter;
  readonly runningVariance: Parameter;
  readonly epsilon?: number;
  /** Share of the new statistics in the running ones. */
  readonly momentum?: number;
}

/**
 * Per channel over batch and space. In a training graph with the statistics of the batch, and the running ones are updated
 * (with the unbiased variance, as PyTorch does); otherwise with the running ones.
 */
export function batchNorm(x: Value, options: BatchNormOptions): Value {
  const { weight, bias, runningMean, runningVariance, epsilon = EPSILON, momentum = 0.1 } = options;
  const channels = x.shape[1];
  const vector = (value: number) =>
    x.graph.constant(tensorOf(x.dtype, [channels], new Float32Array(channels).fill(value)));
  if (x.graph.mode === 'infer') {
    const inputs = [x, weight ?? vector(1), bias ?? vector(0), runningMean, runningVariance];
    return x.graph.node('BatchNormalization', inputs, { epsilon });
  }
  const axes = range(0, x.shape.length).filter((axis) => axis !== 1);
  const count = sizeOf(x.shape) / channels;
  const statistics = standardise(x, axes, epsilon);
  const scale = weight ? mul(overChannels(weight, x.shape.length), statistics.inverse) : statistics.inverse;
  const scaled = mul(statistics.centred, scale);
  const output = bias ? add(scaled, overChannels(bias, x.shape.length)) : scaled;
  const learned = [weight, bias].filter((value) => value !== undefined);
  x.graph.block({
    output,
    inputs: [x, ...learned],
    rule: (dy) => {
      const gradients = normGradients(dy, statistics, weight && overChannels(weight, x.shape.length));
      const vector = (value: Value) => reshape(value, [channels]);
      return [gradients.x, ...(weight ? [vector(gradients.slopes)] : []), ...(bias ? [vector(gradients.sums)] : [])];
    },
  });
  const blend = (old: Parameter, now: Value, factor: number) =>
    x.graph.update(old, add(mul(old, 1 - momentum), mul(reshape(now, [channels]), momentum * factor)));
  blend(runningMean, statistics.mean, 1);
  blend(runningVariance, statistics.variance, count / Math.max(1, count - 1));
  return output;
}

/** Root mean square over the last axis (RMSNorm). */
export const rmsNorm = (x: Value, weight: Value, epsilon = 1e-6): Value => {
  const last = x.shape.length - 1;
  const meanSquare = div(reduceSum(square(x), [last], true), x.shape[last]);
  return mul(div(x, sqrt(add(meanSquare, epsilon))), weight);
};
