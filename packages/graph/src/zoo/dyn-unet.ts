/**
 * MONAI's DynUNet, the network of nnU-Net (Isensee et al. 2021, doi 10.1038/s41592-020-01008-z). In training with deep supervision
 * it has one output for each supervised level, all brought to the full size (MONAI stacks them along a new axis).
 */

import type { Value } from '../graph/value.js';
import { resize } from '../layers/resize.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { kaimingLeaky } from './initial-rules.js';
import { activationOf } from './modules/activation.js';
import { all } from './modules/convolution-block.js';
import { type BlockStyle, blockConv, unetBlock, unetUp } from './modules/dynamic-block.js';
import { normOf } from './modules/norm.js';
import { type Network, network } from './network.js';
import type { States } from './states.js';

const LARGEST_FILTERS = { 2: 512, 3: 320 } as const;
const FIRST_FILTERS = 32;
const FEWEST_LEVELS = 3;

/** Arguments as `monai.networks.nets.DynUNet`. Throws NetworkError. */
export function dynUnet(given: NetworkArguments): Network {
  const read = new Arguments('DynUNet', given);
  const space = read.space();
  const [from, to] = [read.whole('in_channels'), read.whole('out_channels')];
  const kernels = read.perAxisList('kernel_size', space);
  const strides = read.perAxisList('strides', space);
  const upKernels = read.perAxisList('upsample_kernel_size', space);
  const n = strides.length;
  const largest = LARGEST_FILTERS[space as 2 | 3];
  const filters = (
    read.has('filters') ? read.wholes('filters') : strides.map((_, i) => Math.min(FIRST_FILTERS * 2 ** i, largest))
  ).slice(0, n);
  const style: BlockStyle = {
    space,
    norm: normOf(read.layer('norm_name', ['instance', { affine: true }])),
    activation: activationOf(read.layer('act_name', ['leakyrelu', { negative_slope: 0.01 }])),
    dropout: read.share('dropout'),
  };
  const supervised = read.flag('deep_supervision', false);
  const heads = read.whole('deep_supr_num', 1);
  const residual = read.flag('res_block', false);
  const bias = read.flag('trans_bias', false);
  read.skip('filters');
  read.finish();
  if (kernels.length !== n || n < FEWEST_LEVELS)
    read.wrong('kernel_size', 'and strides want as many levels, at least 3');
  if (filters.length < n) read.wrong('filters', `has fewer than ${n} numbers`);
  if (upKernels.length !== n - 1) read.wrong('upsample_kernel_size', `must have ${n - 1} items`);
  if (supervised && !(heads >= 1 && heads < n - 1)) read.wrong('deep_supr_num', `must be from 1 to ${n - 2}`);

  const declare = (at: States) => {
    const names = ['input_block', ...kernels.slice(2).map((_, i) => `downsamples.${i}`), 'bottleneck'];
    const downs = names.map((name, i) =>
      unetBlock(at.under(name), {
        ...style,
        from: i === 0 ? from : filters[i - 1],
        to: filters[i],
        kernel: kernels[i],
        stride: strides[i],
        residual,
      }),
    );
    const ups = upKernels.map((_, i) => {
      const level = n - 2 - i;
      return unetUp(at.under(`upsamples.${i}`), {
        ...style,
        from: filters[level + 1],
        to: filters[level],
        kernel: kernels[level + 1],
        upKernel: upKernels[level],
        bias,
        residual: false,
      });
    });
    const head = (name: string, level: number) =>
      blockConv(at.under(`${name}.conv`), { ...style, from: filters[level], to, kernel: all(space, 1), bias: true });
    const out = head('output_block', 0);
    const supervision = supervised
      ? Array.from({ length: heads }, (_, i) => head(`deep_supervision_heads.${i}`, i + 1))
      : [];
    declareSkipLayers(at, names, supervision.length);

    return (x: Value): readonly Value[] => {
      const skips: Value[] = [];
      for (const down of downs) skips.unshift(down(skips[0] ?? x));
      /** From the coarsest level that was joined to the finest. */
      const joined: Value[] = [];
      ups.reduce((y, up, i) => {
        joined.unshift(up(y, skips[i + 1]));
        return joined[0];
      }, skips[0]);
      const first = out(joined[0]);
      if (x.graph.mode === 'infer') return [first];
      return [first, ...supervision.map((layer, i) => resize(layer(joined[i + 1]), first.shape.slice(2)))];
    };
  };
  return network('DynUNet', declare, { initial: kaimingLeaky });
}

/** MONAI registers every block a second time, in the nest of levels that its forward pass walks through. */
function declareSkipLayers(at: States, names: readonly string[], heads: number): void {
  const nest = (level: number, path: string): void => {
    if (level === names.length - 1) {
      at.alias(names[level], path);
      return;
    }
    at.alias(names[level], `${path}.downsample`);
    nest(level + 1, `${path}.next_layer`);
    at.alias(`upsamples.${names.length - 2 - level}`, `${path}.upsample`);
    if (level > 0 && level <= heads) at.alias(`deep_supervision_heads.${level - 1}`, `${path}.super_head`);
  };
  nest(0, 'skip_layers');
}
