/** Activations by MONAI's names, as modules; PReLU is the only one with a tensor. */
import * as a from '../../layers/activations.js';
import { clip } from '../../layers/arithmetic.js';
import { reshape } from '../../layers/layout.js';
import type { Layer } from '../network.js';
import { NetworkError } from '../network-error.js';
import type { States } from '../states.js';
import type { LayerSpec } from './spec.js';

export type ActivationMaker = (at: States) => Layer;

const RELU6_CEILING = 6;

/** Throws NetworkError `unsupported-argument`. */
export function activationOf(spec: LayerSpec | undefined): ActivationMaker {
  if (!spec) return () => (x) => x;
  spec.arguments.skip('inplace');
  const make = makers[spec.name];
  if (!make)
    throw new NetworkError('unsupported-argument', `The activation ${spec.name} is not supported`, {
      where: spec.name,
      next: `There are: ${Object.keys(makers).join(', ')}`,
    });
  const maker = make(spec);
  spec.arguments.finish();
  return maker;
}

/** One without tensors. */
const plain =
  (layer: Layer): ActivationMaker =>
  (at) =>
  (x) =>
    at.within(x.graph, () => layer(x));

const makers: Readonly<Record<string, (spec: LayerSpec) => ActivationMaker>> = {
  relu: () => plain(a.relu),
  relu6: () => plain((x) => clip(x, 0, RELU6_CEILING)),
  leakyrelu: ({ arguments: read }) => {
    const slope = read.real('negative_slope', 0.01);
    return plain((x) => a.leakyRelu(x, slope));
  },
  elu: ({ arguments: read }) => {
    const alpha = read.real('alpha', 1);
    return plain((x) => a.elu(x, alpha));
  },
  prelu: ({ arguments: read }) => {
    const count = read.whole('num_parameters', 1);
    const initial = { kind: 'constant', value: read.real('init', 0.25) } as const;
    return (at) => {
      const slope = at.parameter('weight', [count], initial);
      return (x) =>
        at.within(x.graph, () => {
          const ones = x.shape.slice(2).map(() => 1);
          return a.prelu(x, count === 1 ? slope(x.graph) : reshape(slope(x.graph), [count, ...ones]));
        });
    };
  },
  sigmoid: () => plain(a.sigmoid),
  tanh: () => plain(a.tanh),
  softmax: ({ arguments: read }) => {
    const axis = read.whole('dim', 1);
    return plain((x) => a.softmax(x, axis));
  },
  swish: ({ arguments: read }) => {
    read.only('alpha', 1);
    return plain(a.swish);
  },
  memswish: () => plain(a.swish),
  mish: () => plain(a.mish),
  gelu: ({ arguments: read }) => {
    const approximate = read.text('approximate', ['none', 'tanh'], 'none');
    return plain((x) => a.gelu(x, approximate));
  },
  softplus: () => plain(a.softplus),
};
