/** Blocks of UNETR's decoder, which SwinUNETR shares: transposed convolutions without bias or dropout, and blocks of nnU-Net. */
import type { Value } from '../../graph/value.js';
import type { Layer } from '../network.js';
import type { States } from '../states.js';
import { all } from './convolution-block.js';
import { type BlockStyle, blockConv, blockTransposed, unetBlock, unetUp } from './dynamic-block.js';
import { chain } from './sequence.js';

export interface UnetrBlock extends BlockStyle {
  readonly from: number;
  readonly to: number;
  readonly residual: boolean;
}

export const unetrBasic = (at: States, options: UnetrBlock): Layer =>
  unetBlock(at.under('layer'), { ...options, kernel: all(options.space, 3) });

export const unetrUp = (at: States, options: UnetrBlock): ((x: Value, skip: Value) => Value) =>
  unetUp(at, { ...options, kernel: all(options.space, 3), upKernel: all(options.space, 2) });

export interface UnetrProjection extends UnetrBlock {
  /** Doublings after the first. */
  readonly layers: number;
  /** Whether a block follows each of them. */
  readonly blocks: boolean;
}

/** From a map of tokens upwards. */
export function unetrProjection(at: States, options: UnetrProjection): Layer {
  const { space, from, to, layers, blocks, residual } = options;
  const twice = { space, to, kernel: all(space, 2), stride: all(space, 2) };
  const first = blockTransposed(at.under('transp_conv_init'), { ...twice, from });
  const rest = Array.from({ length: layers }, (_, i): Layer => {
    const here = at.under(`blocks.${i}`);
    if (!blocks) return blockTransposed(here, { ...twice, from: to });
    return chain([
      blockTransposed(here.under(0), { ...twice, from: to }),
      unetBlock(here.under(1), { ...options, from: to, kernel: all(space, 3), residual }),
    ]);
  });
  return chain([first, ...rest]);
}

/** 1×1 to the classes. */
export const unetrOut = (at: States, { space, from, to }: { space: number; from: number; to: number }): Layer =>
  blockConv(at.under('conv'), { space, from, to, kernel: all(space, 1), bias: true });
