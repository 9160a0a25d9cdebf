/** MONAI's UNETR (Hatamizadeh et al. 2022, arXiv 2103.10504): a vision transformer as encoder of a U-Net. */
import type { Value } from '../graph/value.js';
import { add } from '../layers/arithmetic.js';
import { attention } from '../layers/attention.js';
import { reshape, transpose } from '../layers/layout.js';
import { range, showShape, sizeOf } from '../tensor/shape.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { normal } from './initial-rules.js';
import { activationOf } from './modules/activation.js';
import { convModule, linearModule } from './modules/convolution.js';
import { dropoutModule } from './modules/dropout.js';
import type { BlockStyle } from './modules/dynamic-block.js';
import { layerNormModule, normOf } from './modules/norm.js';
import { joinHeads, queryKeyValue, transformerMlp } from './modules/transformer.js';
import { unetrBasic, unetrOut, unetrProjection, unetrUp } from './modules/unetr-block.js';
import { type Network, simpleNetwork } from './network.js';
import { NetworkError } from './network-error.js';
import type { States } from './states.js';

const LAYERS = 12;
const PATCH = 16;
/** After how many blocks tokens go to the decoder. */
const TAPS = [4, 7, 10];

interface Vit {
  readonly space: number;
  readonly from: number;
  /** Patches along each axis. */
  readonly grid: readonly number[];
  readonly hidden: number;
  readonly mlp: number;
  readonly heads: number;
  readonly qkvBias: boolean;
  readonly dropout: number;
}

/** Arguments as `monai.networks.nets.UNETR`; the image must have the size `img_size`. Throws NetworkError. */
export function unetr(given: NetworkArguments): Network {
  const read = new Arguments('UNETR', given);
  const space = read.space('spatial_dims', 3);
  const [from, to] = [read.whole('in_channels'), read.whole('out_channels')];
  const size = read.perAxis('img_size', space);
  const f = read.whole('feature_size', 16);
  const vit: Vit = {
    space,
    from,
    grid: size.map((n) => Math.floor(n / PATCH)),
    hidden: read.whole('hidden_size', 768),
    mlp: read.whole('mlp_dim', 3072),
    heads: read.whole('num_heads', 12),
    qkvBias: read.flag('qkv_bias', false),
    dropout: read.share('dropout_rate'),
  };
  const style: BlockStyle = {
    space,
    norm: normOf(read.layer('norm_name', 'instance')),
    activation: activationOf({ name: 'leakyrelu', arguments: new Arguments('leakyrelu', {}) }),
  };
  const blocks = read.flag('conv_block', true);
  const residual = read.flag('res_block', true);
  read.only('proj_type', 'conv');
  read.only('pos_embed', 'conv');
  read.only('save_attn', false);
  read.finish();
  if (vit.grid.some((n) => n < 1)) read.wrong('img_size', `is smaller than a patch of ${PATCH}`);
  if (!(vit.heads >= 1) || vit.hidden % vit.heads !== 0) read.wrong('hidden_size', 'is no multiple of num_heads');

  return simpleNetwork('UNETR', (at) => {
    const tokens = vitModule(at.under('vit'), vit);
    const first = unetrBasic(at.under('encoder1'), { ...style, from, to: f, residual });
    const skips = [2, 1, 0].map((layers, i) =>
      unetrProjection(at.under(`encoder${i + 2}`), {
        ...style,
        from: vit.hidden,
        to: f * 2 ** (i + 1),
        layers,
        blocks,
        residual,
      }),
    );
    const ups = [5, 4, 3, 2].map((level, i) =>
      unetrUp(at.under(`decoder${level}`), {
        ...style,
        from: i === 0 ? vit.hidden : f * 2 ** (4 - i),
        to: f * 2 ** (3 - i),
        residual,
      }),
    );
    const out = unetrOut(at.under('out'), { space, from: f, to });
    return (x) => {
      if (x.shape.slice(2).join() !== size.join())
        throw new NetworkError('wrong-argument', `UNETR was made for ${showShape(size)}`, {
          where: showShape(x.shape),
          next: 'Give it patches of this size, as its position embeddings want',
        });
      const maps = tokens(x);
      const beside = [first(x), ...skips.map((layer, i) => layer(maps[i]))].reverse();
      return out(ups.reduce((y, up, i) => up(y, beside[i]), maps[TAPS.length]));
    };
  });
}

/** Maps [batch, hidden, grid…] after the tapped blocks, and the normed last one. */
function vitModule(at: States, vit: Vit): (x: Value) => readonly Value[] {
  const { space, from, grid, hidden, dropout } = vit;
  const embedding = at.under('patch_embedding');
  const count = sizeOf(grid);
  const positions = embedding.parameter('position_embeddings', [1, count, hidden], normal(0.02));
  const patches = convModule(embedding.under('patch_embeddings'), {
    space,
    from,
    to: hidden,
    kernel: PATCH,
    stride: PATCH,
  });
  const drop = dropoutModule(embedding.under('dropout'), { probability: dropout });
  const blocks = range(0, LAYERS).map((i) => transformerBlock(at.under(`blocks.${i}`), vit));
  const norm = layerNormModule(at.under('norm'), hidden);
  return (x) => {
    const [batch] = x.shape;
    const flat = transpose(reshape(patches(x), [batch, hidden, count]), [0, 2, 1]);
    let y = drop(add(flat, positions(x.graph)));
    const states = blocks.map((block) => {
      y = block(y);
      return y;
    });
    const asMap = (tokens: Value) => reshape(transpose(tokens, [0, 2, 1]), [batch, hidden, ...grid]);
    return [...TAPS.map((n) => states[n - 1]), norm(y)].map(asMap);
  };
}

function transformerBlock(at: States, { hidden, mlp, heads, qkvBias, dropout: probability }: Vit): (x: Value) => Value {
  const feed = transformerMlp(at.under('mlp'), { channels: hidden, hidden: mlp, dropout: probability });
  const norm1 = layerNormModule(at.under('norm1'), hidden);
  const out = linearModule(at.under('attn.out_proj'), { from: hidden, to: hidden });
  const qkv = linearModule(at.under('attn.qkv'), { from: hidden, to: 3 * hidden, bias: qkvBias });
  const [onWeights, onOutput] = ['drop_weights', 'drop_output'].map((name) =>
    dropoutModule(at.under(`attn.${name}`), { probability }),
  );
  const norm2 = layerNormModule(at.under('norm2'), hidden);
  // MONAI makes this norm in every block and calls it only where there is cross-attention, which is nowhere here.
  at.unused('norm_cross_attn.weight', [hidden], 1);
  at.unused('norm_cross_attn.bias', [hidden], 0);
  return (x) => {
    const [query, key, value] = queryKeyValue(qkv(norm1(x)), heads);
    const mixed = at.within(x.graph, () => joinHeads(attention(query, key, value, { onWeights })));
    const y = add(x, onOutput(out(mixed)));
    return add(y, feed(norm2(y)));
  };
}
