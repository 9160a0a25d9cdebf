/** torch.nn's convolutions and linear layers as modules: they declare `weight` and `bias` and answer a layer. */
import { conv, convTranspose } from '../../layers/convolution.js';
import { linear } from '../../layers/matrix.js';
import { type PerAxis, perAxis } from '../../layers/windows.js';
import type { InitialPair, InitialRules } from '../initial-rules.js';
import type { Layer } from '../network.js';
import type { States, Weight } from '../states.js';

export interface ConvModule {
  readonly space: number;
  readonly from: number;
  readonly to: number;
  readonly kernel: PerAxis;
  readonly stride?: PerAxis;
  readonly padding?: PerAxis;
  readonly paddingEnd?: PerAxis;
  readonly dilation?: PerAxis;
  readonly groups?: number;
  readonly bias?: boolean;
  /** Of transposed ones. */
  readonly outputPadding?: PerAxis;
  /** Instead of the network's rule. */
  readonly initial?: InitialRules['conv'];
}

function weightAndBias(
  at: States,
  shape: readonly number[],
  outputs: number,
  bias: boolean,
  initial: InitialPair,
): [Weight, Weight | undefined] {
  const weight = at.parameter('weight', shape, initial.weight);
  return [weight, bias ? at.parameter('bias', [outputs], initial.bias) : undefined];
}

export function convModule(at: States, options: ConvModule): Layer {
  const { space, from, to, kernel, groups = 1, bias = true, initial, ...window } = options;
  const shape = [to, from / groups, ...perAxis(kernel, space)];
  const [weight, shift] = weightAndBias(at, shape, to, bias, (initial ?? at.initial.conv)(shape));
  return (x) => at.within(x.graph, () => conv(x, weight(x.graph), { ...window, groups, bias: shift?.(x.graph) }));
}

export function transposedModule(at: States, options: ConvModule): Layer {
  const { space, from, to, kernel, groups = 1, bias = true, initial, ...window } = options;
  const shape = [from, to / groups, ...perAxis(kernel, space)];
  const [weight, shift] = weightAndBias(at, shape, to, bias, (initial ?? at.initial.transposed)(shape));
  return (x) =>
    at.within(x.graph, () => convTranspose(x, weight(x.graph), { ...window, groups, bias: shift?.(x.graph) }));
}

export interface LinearModule {
  readonly from: number;
  readonly to: number;
  readonly bias?: boolean;
  /** Instead of the network's rule. */
  readonly initial?: InitialPair;
}

/** Over the last axis. */
export function linearModule(at: States, { from, to, bias = true, initial }: LinearModule): Layer {
  const shape = [to, from];
  const [weight, shift] = weightAndBias(at, shape, to, bias, initial ?? at.initial.linear(shape));
  return (x) => at.within(x.graph, () => linear(x, weight(x.graph), shift?.(x.graph)));
}
