/** Blocks of nnU-Net as MONAI has them, shared by DynUNet, UNETR and SwinUNETR: two convolutions, with or without a shortcut. */
import type { Value } from '../../graph/value.js';
import { add } from '../../layers/arithmetic.js';
import { concat } from '../../layers/layout.js';
import type { Layer } from '../network.js';
import { NetworkError } from '../network-error.js';
import type { States } from '../states.js';
import type { ActivationMaker } from './activation.js';
import { convModule, transposedModule } from './convolution.js';
import { all } from './convolution-block.js';
import { dropoutModule } from './dropout.js';
import type { NormMaker } from './norm.js';
import { chain } from './sequence.js';

export interface BlockStyle {
  readonly space: number;
  readonly norm: NormMaker;
  readonly activation: ActivationMaker;
  readonly dropout?: number;
}

interface BlockConv extends Pick<BlockStyle, 'space' | 'dropout'> {
  readonly from: number;
  readonly to: number;
  readonly kernel: readonly number[];
  readonly stride?: readonly number[];
  readonly bias?: boolean;
}

/** Half of what kernel and stride leave, rounded down. */
function paddingOf(kernel: readonly number[], stride: readonly number[]): number[] {
  return kernel.map((k, i) => {
    if (k - stride[i] + 1 < 0)
      throw new NetworkError('wrong-argument', `A kernel of ${k} is too small for a stride of ${stride[i]}`);
    return Math.floor((k - stride[i] + 1) / 2);
  });
}

export function blockConv(at: States, options: BlockConv): Layer {
  const { space, from, to, kernel, bias = false, dropout = 0 } = options;
  const { stride = all(space, 1) } = options;
  const padding = paddingOf(kernel, stride);
  return chain([
    convModule(at.under('conv'), { space, from, to, kernel, stride, padding, bias }),
    dropoutModule(at.under('adn.D'), { probability: dropout }),
  ]);
}

export function blockTransposed(at: States, options: BlockConv & { readonly stride: readonly number[] }): Layer {
  const { space, from, to, kernel, stride, bias = false, dropout = 0 } = options;
  const padding = paddingOf(kernel, stride);
  const outputPadding = padding.map((p, i) => 2 * p + stride[i] - kernel[i]);
  return chain([
    transposedModule(at.under('conv'), { space, from, to, kernel, stride, padding, outputPadding, bias }),
    dropoutModule(at.under('adn.D'), { probability: dropout }),
  ]);
}

export interface UnetBlock extends BlockStyle {
  readonly from: number;
  readonly to: number;
  readonly kernel: readonly number[];
  readonly stride?: readonly number[];
  readonly residual: boolean;
}

export function unetBlock(at: States, options: UnetBlock): Layer {
  const { space, from, to, norm, activation, kernel, residual, dropout } = options;
  const { stride = all(space, 1) } = options;
  const conv1 = blockConv(at.under('conv1'), { space, from, to, kernel, stride, dropout });
  const conv2 = blockConv(at.under('conv2'), { space, from: to, to, kernel, dropout });
  const act = activation(at.under('lrelu'));
  const [norm1, norm2] = ['norm1', 'norm2'].map((name) => norm(at.under(name), to));
  const body = chain([conv1, norm1, act, conv2, norm2]);
  if (!residual) return chain([body, act]);
  const changes = from !== to || stride.some((s) => s !== 1);
  const shortcut: Layer = changes
    ? chain([
        blockConv(at.under('conv3'), { space, from, to, kernel: all(space, 1), stride, dropout }),
        norm(at.under('norm3'), to),
      ])
    : (x) => x;
  return (x) => act(add(body(x), shortcut(x)));
}

export interface UnetUp extends BlockStyle {
  readonly from: number;
  readonly to: number;
  readonly kernel: readonly number[];
  /** Kernel and stride of the transposed convolution. */
  readonly upKernel: readonly number[];
  readonly bias?: boolean;
  readonly residual: boolean;
}

/** Upwards, then the skip behind it, then a block. */
export function unetUp(at: States, options: UnetUp): (x: Value, skip: Value) => Value {
  const { space, from, to, kernel, upKernel, bias, residual, dropout } = options;
  const up = blockTransposed(at.under('transp_conv'), {
    space,
    from,
    to,
    kernel: upKernel,
    stride: upKernel,
    bias,
    dropout,
  });
  const block = unetBlock(at.under('conv_block'), {
    ...options,
    from: 2 * to,
    to,
    kernel,
    stride: undefined,
    residual,
  });
  return (x, skip) => {
    const y = up(x);
    return block(at.within(x.graph, () => concat([y, skip])));
  };
}
