/**
 * MONAI's EfficientNet (Tan and Le 2019, arXiv 1905.11946). Padding is "same" as TensorFlow computes it, but once and for all from
 * the nominal image size of the variant, not from the image that comes: so it stands in the weights' numbers, and here.
 */
import { sigmoid, swish } from '../layers/activations.js';
import { add, mul } from '../layers/arithmetic.js';
import { globalAveragePool } from '../layers/pooling.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { flatMean } from './dense-net.js';
import { efficientInitial } from './initial-rules.js';
import { convModule, linearModule } from './modules/convolution.js';
import { dropoutModule, dropPathModule } from './modules/dropout.js';
import { type NormMaker, normOf } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import type { States } from './states.js';

interface Variant {
  readonly width: number;
  readonly depth: number;
  readonly size: number;
  readonly dropout: number;
}

const variant = (width: number, depth: number, size: number, dropout: number): Variant => ({
  width,
  depth,
  size,
  dropout,
});

export const EFFICIENT_NETS: Readonly<Record<string, Variant>> = {
  'efficientnet-b0': variant(1, 1, 224, 0.2),
  'efficientnet-b1': variant(1, 1.1, 240, 0.2),
  'efficientnet-b2': variant(1.1, 1.2, 260, 0.3),
  'efficientnet-b3': variant(1.2, 1.4, 300, 0.3),
  'efficientnet-b4': variant(1.4, 1.8, 380, 0.4),
  'efficientnet-b5': variant(1.6, 2.2, 456, 0.4),
  'efficientnet-b6': variant(1.8, 2.6, 528, 0.5),
  'efficientnet-b7': variant(2, 3.1, 600, 0.5),
  'efficientnet-b8': variant(2.2, 3.6, 672, 0.5),
  'efficientnet-l2': variant(4.3, 5.3, 800, 0.5),
};

/** Blocks, kernel, stride, widening and channels of each stage of b0. */
const STAGES = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
] as const;

/** Stages whose results are features of 1/2, 1/4 … 1/32 of the size: those before a stride, and the last. */
const FEATURE_STAGES = [0, 1, 2, 4, 6];

const STEM_CHANNELS = 32;
const HEAD_CHANNELS = 1280;
const SQUEEZE = 0.25;
const DROP_CONNECT = 0.2;
const CHANNEL_STEP = 8;

/** To multiples of 8, not below 90 %. */
function scaled(channels: number, width: number): number {
  const wanted = channels * width;
  const rounded = Math.max(CHANNEL_STEP, Math.floor((wanted + CHANNEL_STEP / 2) / CHANNEL_STEP) * CHANNEL_STEP);
  return rounded < 0.9 * wanted ? rounded + CHANNEL_STEP : rounded;
}

/** Channels of the five features. */
export const featureChannels = (name: string): number[] =>
  FEATURE_STAGES.map((stage) => scaled(STAGES[stage][4], EFFICIENT_NETS[name].width));

export const efficientNorm = (): NormMaker =>
  normOf({ name: 'batch', arguments: new Arguments('batch', { eps: 1e-3, momentum: 0.01 }) });

/** Arguments as `monai.networks.nets.EfficientNetBN`. Throws NetworkError. */
export function efficientNet(given: NetworkArguments): Network {
  const read = new Arguments('EfficientNetBN', given);
  const name = read.text('model_name', Object.keys(EFFICIENT_NETS));
  const space = read.space('spatial_dims', 2);
  const from = read.whole('in_channels', 3);
  const classes = read.whole('num_classes', 1000);
  const norm = read.has('norm') ? normOf(read.layer('norm')) : efficientNorm();
  // MONAI's default is to download; here weights come by loadState, so the flag is accepted either way.
  read.skip('pretrained', 'progress', 'adv_prop', 'norm');
  read.finish();
  return simpleNetwork(
    name,
    (at) => {
      const { features, head } = efficientModules(at, { name, space, from, classes, norm });
      return (x) => {
        const all = features(x);
        return head(all[all.length - 1]);
      };
    },
    { initial: efficientInitial },
  );
}

export interface EfficientOptions {
  readonly name: string;
  readonly space: number;
  readonly from: number;
  readonly classes: number;
  readonly norm: NormMaker;
}

export function efficientModules(
  at: States,
  { name, space, from, classes, norm }: EfficientOptions,
): { features: (x: Parameters<Layer>[0]) => readonly ReturnType<Layer>[]; head: Layer } {
  const { width, depth, size, dropout } = EFFICIENT_NETS[name];
  const first = scaled(STEM_CHANNELS, width);
  const stem = chain([
    sameConv(at.under('_conv_stem'), { space, from, to: first, kernel: 3, stride: 2, size }),
    norm(at.under('_bn0'), first),
    (x) => at.within(x.graph, () => swish(x)),
  ]);
  const repeats = STAGES.map(([count]) => Math.ceil(count * depth));
  const total = repeats.reduce((sum, n) => sum + n, 0);
  let current = { channels: first, size: Math.ceil(size / 2), index: 0 };
  const stages = STAGES.map(([, kernel, stride, expand, channels], stage) => {
    const to = scaled(channels, width);
    const blocks = Array.from({ length: repeats[stage] }, (_, i) => {
      const { index } = current;
      const options = { space, norm, kernel, expand, from: current.channels, to, size: current.size };
      const dropped = (DROP_CONNECT * index) / total;
      const step = i === 0 ? stride : 1;
      const block = mobileBlock(at.under(`_blocks.${stage}.${index}`), { ...options, stride: step, dropped });
      current = { channels: to, size: Math.ceil(current.size / step), index: index + 1 };
      return block;
    });
    return chain(blocks);
  });
  const wide = scaled(HEAD_CHANNELS, width);
  const head = chain([
    sameConv(at.under('_conv_head'), { space, from: current.channels, to: wide, kernel: 1, stride: 1, size: 1 }),
    norm(at.under('_bn1'), wide),
    (x) => at.within(x.graph, () => swish(x)),
    flatMean(at.under('_avg_pooling')),
    dropoutModule(at.under('_dropout'), { probability: dropout }),
    linearModule(at.under('_fc'), { from: wide, to: classes }),
  ]);
  const features = (x: Parameters<Layer>[0]) => {
    let y = stem(x);
    return stages.flatMap((stage, i) => {
      y = stage(y);
      return FEATURE_STAGES.includes(i) ? [y] : [];
    });
  };
  return { features, head };
}

interface SameConv {
  readonly space: number;
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
  /** Nominal size of the image. */
  readonly size: number;
  readonly groups?: number;
}

/** Without bias; the odd element of the padding stands at the end. */
function sameConv(at: States, { size, ...options }: SameConv): Layer {
  const { kernel, stride } = options;
  const whole = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  const padding = Math.floor(whole / 2);
  return convModule(at, { ...options, padding, paddingEnd: whole - padding, bias: false });
}

interface MobileBlock {
  readonly space: number;
  readonly norm: NormMaker;
  readonly kernel: number;
  readonly stride: number;
  readonly expand: number;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  /** Probability that a sample skips the block in training. */
  readonly dropped: number;
}

/** Widens, convolves channel by channel, gates the channels, narrows. */
function mobileBlock(at: States, options: MobileBlock): Layer {
  const { space, norm, kernel, stride, expand, from, to, size, dropped } = options;
  const wide = from * expand;
  const act: Layer = (x) => at.within(x.graph, () => swish(x));
  const widen =
    expand === 1
      ? []
      : [
          sameConv(at.under('_expand_conv'), { space, from, to: wide, kernel: 1, stride: 1, size }),
          norm(at.under('_bn0'), wide),
          act,
        ];
  const depthwise = [
    sameConv(at.under('_depthwise_conv'), { space, from: wide, to: wide, kernel, stride, size, groups: wide }),
    norm(at.under('_bn1'), wide),
    act,
  ];
  const squeezed = Math.max(1, Math.floor(from * SQUEEZE));
  const gate = chain([
    (x) => at.under('_se_adaptpool').within(x.graph, () => globalAveragePool(x)),
    convModule(at.under('_se_reduce'), { space, from: wide, to: squeezed, kernel: 1 }),
    act,
    convModule(at.under('_se_expand'), { space, from: squeezed, to: wide, kernel: 1 }),
  ]);
  const gated: Layer = (x) => mul(sigmoid(gate(x)), x);
  const narrow = [
    sameConv(at.under('_project_conv'), { space, from: wide, to, kernel: 1, stride: 1, size: 1 }),
    norm(at.under('_bn2'), to),
  ];
  const body = chain([...widen, ...depthwise, gated, ...narrow]);
  if (stride !== 1 || from !== to) return body;
  const drop = dropPathModule(at.under('drop_connect'), dropped);
  return (x) => add(drop(body(x)), x);
}
