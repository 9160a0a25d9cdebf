/** Convolutions and linear layers that declare their own parameters, under PyTorch's keys `<name>.weight` and `<name>.bias`. */
import type { Initial, Value } from '../graph/value.js';
import { conv, convTranspose } from '../layers/convolution.js';
import { linear } from '../layers/matrix.js';
import { type PerAxis, perAxis } from '../layers/windows.js';
import type { Shape } from '../tensor/shape.js';
import { defaultInitial } from './fan.js';

interface Learned {
  readonly bias?: boolean;
  /** Start of the weights, given their shape; PyTorch's default if absent. */
  readonly initial?: (weight: Shape) => Initial;
}

export interface ConvModuleOptions extends Learned {
  readonly channels: number;
  readonly kernel: PerAxis;
  readonly stride?: PerAxis;
  readonly dilation?: PerAxis;
  readonly groups?: number;
  /** `same`: (kernel − 1) / 2 · dilation on both sides, MONAI's rule, also with a stride. */
  readonly padding?: PerAxis | 'same';
}

export interface ConvTransposeModuleOptions extends Omit<ConvModuleOptions, 'padding'> {
  readonly padding?: PerAxis;
  readonly outputPadding?: PerAxis;
}

export function convModule(x: Value, name: string, options: ConvModuleOptions): Value {
  const { channels, kernel, stride, dilation = 1, groups = 1, padding = 'same', bias = true } = options;
  const d = x.shape.length - 2;
  const sizes = perAxis(kernel, d);
  const apart = perAxis(dilation, d);
  const shape = [channels, x.shape[1] / groups, ...sizes];
  return x.graph.scope(name, () =>
    conv(x, weight(x, name, shape, options), {
      bias: bias ? biasOf(x, name, channels, shape) : undefined,
      padding: padding === 'same' ? sizes.map((k, i) => Math.floor((k - 1) / 2) * apart[i]) : padding,
      stride,
      dilation,
      groups,
    }),
  );
}

export function convTransposeModule(x: Value, name: string, options: ConvTransposeModuleOptions): Value {
  const { channels, kernel, groups = 1, bias = true, ...window } = options;
  const shape = [x.shape[1], channels / groups, ...perAxis(kernel, x.shape.length - 2)];
  return x.graph.scope(name, () =>
    convTranspose(x, weight(x, name, shape, options), {
      ...window,
      groups,
      bias: bias ? biasOf(x, name, channels, shape) : undefined,
    }),
  );
}

/** Over the last axis. */
export function linearModule(x: Value, name: string, options: Learned & { readonly channels: number }): Value {
  const { channels, bias = true } = options;
  const shape = [channels, x.shape[x.shape.length - 1]];
  return x.graph.scope(name, () =>
    linear(x, weight(x, name, shape, options), bias ? biasOf(x, name, channels, shape) : undefined),
  );
}

const weight = ({ graph, dtype }: Value, name: string, shape: Shape, { initial = defaultInitial }: Learned): Value =>
  graph.parameter(`${name}.weight`, shape, { dtype, initial: initial(shape) });

const biasOf = ({ graph, dtype }: Value, name: string, channels: number, weightShape: Shape): Value =>
  graph.parameter(`${name}.bias`, [channels], { dtype, initial: defaultInitial(weightShape) });
