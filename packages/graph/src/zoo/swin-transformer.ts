/** The encoder of SwinUNETR (Liu et al. 2021, arXiv 2103.14030, in 2-D and 3-D): attention within windows that shift every other block. */
import type { Value } from '../graph/value.js';
import { add } from '../layers/arithmetic.js';
import { pad, transpose } from '../layers/layout.js';
import { layerNorm } from '../layers/normalization.js';
import { range } from '../tensor/shape.js';
import { Arguments } from './arguments.js';
import { activationOf } from './modules/activation.js';
import { convModule } from './modules/convolution.js';
import { dropoutModule, dropPathModule } from './modules/dropout.js';
import { layerNormModule, normOf } from './modules/norm.js';
import { transformerMlp } from './modules/transformer.js';
import { unetrBasic } from './modules/unetr-block.js';
import type { Layer } from './network.js';
import type { States } from './states.js';
import { mergingModule, type Neighbours } from './swin-merging.js';
import { cappedWindow, windowAttention } from './swin-windows.js';

export interface Swin {
  readonly space: number;
  readonly from: number;
  readonly features: number;
  readonly patch: readonly number[];
  readonly window: readonly number[];
  readonly depths: readonly number[];
  readonly heads: readonly number[];
  readonly qkvBias: boolean;
  readonly mlpRatio: number;
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly pathDropout: number;
  readonly patchNorm: boolean;
  /** Whether results are normed over their channels, without weights. */
  readonly normalizes: boolean;
  readonly neighbours: Neighbours;
  /** Version 2: a residual block of convolutions before each stage. */
  readonly residualBlocks: boolean;
}

/** Channels last, [batch, space…, channels], and back. */
const channelsLast = (x: Value): Value => transpose(x, [0, ...range(2, x.shape.length), 1]);
const channelsFirst = (x: Value): Value => transpose(x, [0, x.shape.length - 1, ...range(1, x.shape.length - 1)]);

/** Five maps, of 1/2, 1/4 … 1/32 of the image (with patches of 2), with F, 2F … 16F channels. */
export function swinTransformer(at: States, swin: Swin): (x: Value) => readonly Value[] {
  const { features, depths, dropout } = swin;
  const embed = patchEmbedding(at.under('patch_embed'), swin);
  const drop = dropoutModule(at.under('pos_drop'), { probability: dropout });
  const total = depths.reduce((sum, n) => sum + n, 0);
  const stages = depths.map((depth, i) => {
    const before = depths.slice(0, i).reduce((sum, n) => sum + n, 0);
    const dropped = range(0, depth).map((k) => (total > 1 ? (swin.pathDropout * (before + k)) / (total - 1) : 0));
    return stage(at.under(`layers${i + 1}.0`), swin, { channels: features * 2 ** i, heads: swin.heads[i], dropped });
  });
  const blocks = swin.residualBlocks ? depths.map((_, i) => residualBlock(at.under(`layers${i + 1}c.0`), swin, i)) : [];
  const out = (x: Value): Value =>
    swin.normalizes ? at.within(x.graph, () => channelsFirst(layerNorm(channelsLast(x), { axes: 1 }))) : x;
  return (x) => {
    const maps = [drop(embed(x))];
    stages.forEach((run, i) => {
      maps.push(run(blocks[i]?.(maps[i]) ?? maps[i]));
    });
    return maps.map(out);
  };
}

function patchEmbedding(at: States, { space, from, features, patch, patchNorm }: Swin): Layer {
  const proj = convModule(at.under('proj'), { space, from, to: features, kernel: patch, stride: patch });
  const norm = patchNorm ? layerNormModule(at.under('norm'), features) : undefined;
  return (x) => {
    const after = x.shape.map((n, axis) =>
      axis < 2 ? 0 : (patch[axis - 2] - (n % patch[axis - 2])) % patch[axis - 2],
    );
    const y = proj(
      pad(
        x,
        after.map(() => 0),
        after,
      ),
    );
    return norm ? channelsFirst(norm(channelsLast(y))) : y;
  };
}

function residualBlock(at: States, { space, features }: Swin, level: number): Layer {
  const channels = features * 2 ** level;
  return unetrBasic(at, {
    space,
    from: channels,
    to: channels,
    residual: true,
    norm: normOf({ name: 'instance', arguments: new Arguments('instance', {}) }),
    activation: activationOf({ name: 'leakyrelu', arguments: new Arguments('leakyrelu', {}) }),
  });
}

interface Stage {
  readonly channels: number;
  readonly heads: number;
  /** Probability for each block that a sample skips it. */
  readonly dropped: readonly number[];
}

function stage(at: States, swin: Swin, { channels, heads, dropped }: Stage): Layer {
  const blocks = dropped.map((probability, i) =>
    swinBlock(at.under(`blocks.${i}`), swin, { channels, heads, probability, shifts: i % 2 === 1 }),
  );
  const merge = mergingModule(at.under('downsample'), channels, swin.neighbours);
  return (x) => channelsFirst(merge(blocks.reduce((y, block) => block(y), channelsLast(x))));
}

interface SwinBlock {
  readonly channels: number;
  readonly heads: number;
  readonly probability: number;
  readonly shifts: boolean;
}

function swinBlock(at: States, swin: Swin, { channels, heads, probability, shifts }: SwinBlock): Layer {
  const { window, qkvBias, dropout, attentionDropout, mlpRatio } = swin;
  const norm1 = layerNormModule(at.under('norm1'), channels);
  const attend = windowAttention(at.under('attn'), { window, channels, heads, qkvBias, dropout, attentionDropout });
  const [path1, path2] = [1, 2].map(() => dropPathModule(at.under('drop_path'), probability));
  const norm2 = layerNormModule(at.under('norm2'), channels);
  const mlp = transformerMlp(at.under('mlp'), { channels, hidden: Math.floor(channels * mlpRatio), dropout });
  return (x) => {
    const { size, shift } = cappedWindow(x.shape.slice(1, -1), window, shifts);
    const y = add(x, path1(attend(norm1(x), size, shift)));
    return add(y, path2(mlp(norm2(y))));
  };
}
