/** Norms by MONAI's names, as modules. A maker can be used for many places: its arguments are read once. */
import { batchNorm, groupNorm, instanceNorm, layerNorm } from '../../layers/normalization.js';
import { one, zero } from '../initial-rules.js';
import type { Layer } from '../network.js';
import { NetworkError } from '../network-error.js';
import type { States } from '../states.js';
import type { LayerSpec } from './spec.js';

export type NormMaker = (at: States, channels: number) => Layer;

const identity: NormMaker = () => (x) => x;

/** Throws NetworkError `unsupported-argument`. */
export function normOf(spec: LayerSpec | undefined): NormMaker {
  if (!spec) return identity;
  const read = spec.arguments;
  // MONAI fills these in itself when they are absent; when present they must be what it would fill in.
  read.skip('num_features', 'num_channels');
  const epsilon = read.real('eps', 1e-5);
  const make = makers[spec.name];
  if (!make)
    throw new NetworkError('unsupported-argument', `The norm ${spec.name} is not supported`, {
      where: spec.name,
      next: `There are: ${Object.keys(makers).join(', ')}`,
    });
  const maker = make(spec, epsilon);
  read.finish();
  return maker;
}

const makers: Readonly<Record<string, (spec: LayerSpec, epsilon: number) => NormMaker>> = {
  batch: (spec, epsilon) => batchMaker(spec, epsilon),
  syncbatch: (spec, epsilon) => batchMaker(spec, epsilon),
  instance: (spec, epsilon) => instanceMaker(spec, epsilon),
  instance_nvfuser: (spec, epsilon) => instanceMaker(spec, epsilon),
  group: ({ arguments: read }, epsilon) => {
    const groups = read.whole('num_groups');
    const affine = read.flag('affine', true);
    return (at, channels) => {
      const scale = affine ? affineOf(at, channels) : undefined;
      return (x) =>
        at.within(x.graph, () =>
          groupNorm(x, groups, { epsilon, weight: scale?.weight(x.graph), bias: scale?.bias(x.graph) }),
        );
    };
  },
};

function instanceMaker({ arguments: read }: LayerSpec, epsilon: number): NormMaker {
  const affine = read.flag('affine', false);
  read.only('track_running_stats', false);
  read.skip('momentum');
  return (at, channels) => {
    const scale = affine ? affineOf(at, channels) : undefined;
    return (x) =>
      at.within(x.graph, () =>
        instanceNorm(x, { epsilon, weight: scale?.weight(x.graph), bias: scale?.bias(x.graph) }),
      );
  };
}

function batchMaker({ arguments: read }: LayerSpec, epsilon: number): NormMaker {
  const momentum = read.real('momentum', 0.1);
  read.only('affine', true);
  read.only('track_running_stats', true);
  return (at, channels) => batchNormModule(at, channels, { epsilon, momentum });
}

/** `weightInitial`: PyTorch starts at 1, InnerEye near it. */
export function batchNormModule(
  at: States,
  channels: number,
  { epsilon = 1e-5, momentum = 0.1, weightInitial = one } = {},
): Layer {
  const weight = at.parameter('weight', [channels], weightInitial);
  const bias = at.parameter('bias', [channels], zero);
  const runningMean = at.buffer('running_mean', [channels], 0);
  const runningVariance = at.buffer('running_var', [channels], 1);
  // PyTorch counts batches only for averages without momentum, which no network here has: the count is kept, not used.
  at.buffer('num_batches_tracked', [], 0, 'int64');
  return (x) =>
    at.within(x.graph, () =>
      batchNorm(x, {
        epsilon,
        momentum,
        weight: weight(x.graph),
        bias: bias(x.graph),
        runningMean: runningMean(x.graph),
        runningVariance: runningVariance(x.graph),
      }),
    );
}

const affineOf = (at: States, channels: number) => ({
  weight: at.parameter('weight', [channels], one),
  bias: at.parameter('bias', [channels], zero),
});

/** Over the last axis, which has `size` elements. */
export function layerNormModule(at: States, size: number, epsilon = 1e-5): Layer {
  const { weight, bias } = affineOf(at, size);
  return (x) => at.within(x.graph, () => layerNorm(x, { weight: weight(x.graph), bias: bias(x.graph), epsilon }));
}
