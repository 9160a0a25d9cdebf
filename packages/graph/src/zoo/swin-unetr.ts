/** MONAI's SwinUNETR (Hatamizadeh et al. 2022, arXiv 2201.01266): windowed attention as encoder of a U-Net. */
import type { Value } from '../graph/value.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { activationOf } from './modules/activation.js';
import type { BlockStyle } from './modules/dynamic-block.js';
import { normOf } from './modules/norm.js';
import { unetrBasic, unetrOut, unetrUp } from './modules/unetr-block.js';
import { type Network, simpleNetwork } from './network.js';
import { NetworkError } from './network-error.js';
import { neighbours } from './swin-merging.js';
import { type Swin, swinTransformer } from './swin-transformer.js';

const STAGES = 4;
const HALVINGS = 5;
const FEATURE_STEP = 12;
const MLP_RATIO = 4;

/**
 * Arguments as `monai.networks.nets.SwinUNETR`, and `monai_version` of the bundle: before 1.5 the eight neighbours of a merging
 * stood in an order with two repeated and two missing (issue 8284), and weights belong to the order they were trained with.
 */
export function swinUnetr(given: NetworkArguments): Network {
  const read = new Arguments('SwinUNETR', given);
  const space = read.space('spatial_dims', 3);
  const [from, to] = [read.whole('in_channels'), read.whole('out_channels')];
  const f = read.whole('feature_size', 24);
  const patch = read.perAxis('patch_size', space, 2);
  const merging = read.text('downsample', ['merging', 'mergingv2'], 'merging');
  const swin: Swin = {
    space,
    from,
    features: f,
    patch,
    window: read.perAxis('window_size', space, 7),
    depths: read.wholes('depths', [2, 2, 2, 2]),
    heads: read.wholes('num_heads', [3, 6, 12, 24]),
    qkvBias: read.flag('qkv_bias', true),
    mlpRatio: read.real('mlp_ratio', MLP_RATIO),
    dropout: read.share('drop_rate'),
    attentionDropout: read.share('attn_drop_rate'),
    pathDropout: read.share('dropout_path_rate'),
    patchNorm: read.flag('patch_norm', false),
    normalizes: read.flag('normalize', true),
    neighbours: neighbours(space, merging, read.version('monai_version', [1, 5])),
    residualBlocks: read.flag('use_v2', false),
  };
  const style: BlockStyle = {
    space,
    norm: normOf(read.layer('norm_name', 'instance')),
    activation: activationOf({ name: 'leakyrelu', arguments: new Arguments('leakyrelu', {}) }),
  };
  read.only('use_hyena', false);
  // What changes speed or memory but no number; img_size was checked and not used before MONAI 1.5.
  read.skip('use_checkpoint', 'use_flash_attention', 'img_size');
  read.finish();
  if (f < 1 || f % FEATURE_STEP !== 0) read.wrong('feature_size', `is no multiple of ${FEATURE_STEP}`);
  if (swin.depths.length !== STAGES || swin.heads.length !== STAGES)
    read.wrong('depths', 'and num_heads have 4 numbers');

  return simpleNetwork('SwinUNETR', (at) => {
    const encoder = swinTransformer(at.under('swinViT'), swin);
    const basic = (name: string, c: number, n: number) =>
      unetrBasic(at.under(name), { ...style, from: c, to: n, residual: true });
    const first = basic('encoder1', from, f);
    const skips = [0, 1, 2].map((i) => basic(`encoder${i + 2}`, f * 2 ** i, f * 2 ** i));
    const bottom = basic('encoder10', f * 16, f * 16);
    const ups = [5, 4, 3, 2, 1].map((level) =>
      unetrUp(at.under(`decoder${level}`), {
        ...style,
        from: level === 1 ? f : f * 2 ** (level - 1),
        to: level === 1 ? f : f * 2 ** (level - 2),
        residual: true,
      }),
    );
    const out = unetrOut(at.under('out'), { space, from: f, to });
    return (x: Value) => {
      const steps = patch.map((p) => p ** HALVINGS);
      if (x.shape.slice(2).some((n, i) => n % steps[i] !== 0))
        throw new NetworkError('wrong-argument', `SwinUNETR wants sides in multiples of ${steps.join('×')}`, {
          where: x.shape.join('×'),
          next: 'Pad the image',
        });
      const maps = encoder(x);
      const beside = [maps[3], ...[2, 1, 0].map((i) => skips[i](maps[i])), first(x)];
      return out(ups.reduce((y, up, i) => up(y, beside[i]), bottom(maps[4])));
    };
  });
}
