/** MONAI's ResNet (He et al. 2016, arXiv 1512.03385; 3-D after Hara et al. 2018, arXiv 1711.09577). */
import type { Value } from '../graph/value.js';
import { add } from '../layers/arithmetic.js';
import { pad, slices } from '../layers/layout.js';
import { maxPool } from '../layers/pooling.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { flatMean } from './dense-net.js';
import { kaimingNormalOut } from './initial-rules.js';
import { type ActivationMaker, activationOf } from './modules/activation.js';
import { convModule, linearModule } from './modules/convolution.js';
import { type NormMaker, normOf } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { type Forward, type Layer, type Network, network } from './network.js';
import type { States } from './states.js';

const DEPTHS: Readonly<Record<string, readonly [block: 'basic' | 'bottleneck', layers: readonly number[]]>> = {
  resnet10: ['basic', [1, 1, 1, 1]],
  resnet18: ['basic', [2, 2, 2, 2]],
  resnet34: ['basic', [3, 4, 6, 3]],
  resnet50: ['bottleneck', [3, 4, 6, 3]],
  resnet101: ['bottleneck', [3, 4, 23, 3]],
  resnet152: ['bottleneck', [3, 8, 36, 3]],
  resnet200: ['bottleneck', [3, 24, 36, 3]],
};

export const RES_NETS = Object.keys(DEPTHS);

const PLANES = [64, 128, 256, 512];
const STEM_KERNEL = 7;
const EXPANSION = { basic: 1, bottleneck: 4 } as const;

interface Style {
  readonly space: number;
  readonly norm: NormMaker;
  readonly activation: ActivationMaker;
  readonly block: 'basic' | 'bottleneck';
  /** B: a 1×1 convolution and norm; A: every stride-th element, missing channels zero. */
  readonly shortcut: 'A' | 'B';
  readonly shortcutBias: boolean;
}

/** Arguments as `monai.networks.nets.resnet18` and its siblings, or `ResNet`, which also takes block, layers and block_inplanes. */
export function resNet(name: string, given: NetworkArguments): Network {
  const read = new Arguments(name, given);
  const known = DEPTHS[name];
  const block = known ? known[0] : read.text('block', ['basic', 'bottleneck']);
  const layers = known ? known[1] : read.wholes('layers');
  const widen = read.real('widen_factor', 1);
  const planes = (known ? PLANES : read.wholes('block_inplanes')).map((n) => Math.floor(n * widen));
  const space = read.space('spatial_dims', 3);
  const from = read.whole('n_input_channels', 3);
  const kernel = read.perAxis('conv1_t_size', space, STEM_KERNEL);
  const stride = read.perAxis('conv1_t_stride', space, 1);
  const pools = !read.flag('no_max_pool', false);
  const classes = read.whole('num_classes', 400);
  const classifies = read.flag('feed_forward', true);
  const style: Style = {
    space,
    block,
    shortcut: read.text('shortcut_type', ['A', 'B'], 'B'),
    shortcutBias: read.flag('bias_downsample', true),
    activation: activationOf(read.layer('act', 'relu')),
    norm: normOf(read.layer('norm', 'batch')),
  };
  read.only('pretrained', false);
  read.skip('progress');
  read.finish();
  if (layers.length !== PLANES.length || planes.length !== PLANES.length) read.wrong('layers', 'must have 4 stages');

  return network(
    name,
    (at): Forward => {
      const { features, channels } = resNetFeatures(at, { style, from, planes, layers, kernel, stride, pools });
      const pool = flatMean(at.under('avgpool'));
      const head = classifies ? linearModule(at.under('fc'), { from: channels, to: classes }) : (x: Value) => x;
      return (x) => [head(pool(features(x)[PLANES.length]))];
    },
    { initial: kaimingNormalOut },
  );
}

interface Body {
  readonly style: Style;
  readonly from: number;
  readonly planes: readonly number[];
  readonly layers: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pools: boolean;
}

/** Results of the stem (before its pooling) and of the four stages, and the channels of the last. */
function resNetFeatures(at: States, body: Body): { features: (x: Value) => readonly Value[]; channels: number } {
  const { style, from, planes, layers, kernel, stride, pools } = body;
  const { space, norm, activation } = style;
  const padding = kernel.map((k) => Math.floor(k / 2));
  const stem = chain([
    convModule(at.under('conv1'), { space, from, to: planes[0], kernel, stride, padding, bias: false }),
    norm(at.under('bn1'), planes[0]),
    activation(at.under('act')),
  ]);
  let channels = planes[0];
  const stages = layers.map((count, i) => {
    const blocks = Array.from({ length: count }, (_, m) => {
      const step = i > 0 && m === 0 ? 2 : 1;
      // The norm of blocks is always batch, whatever the stem has: MONAI does not pass it on.
      const layer = residualBlock(at.under(`layer${i + 1}.${m}`), { style, from: channels, planes: planes[i], step });
      channels = planes[i] * EXPANSION[style.block];
      return layer;
    });
    return chain(blocks);
  });
  const pool = (x: Value) =>
    pools ? at.under('maxpool').within(x.graph, () => maxPool(x, 3, { stride: 2, padding: 1 })) : x;
  const features = (x: Value) => {
    const first = stem(x);
    let y = pool(first);
    return [
      first,
      ...stages.map((stage) => {
        y = stage(y);
        return y;
      }),
    ];
  };
  return { features, channels };
}

/** Depths whose shortcuts are of type A with bias, in the encoders of MONAI's FlexibleUNet (as MedicalNet trained them). */
const TYPE_A = ['resnet18', 'resnet34'];

/** The encoder of a FlexibleUNet: no classifier, a strided stem. */
export function encoderOf(at: States, name: string, space: number, from: number): (x: Value) => readonly Value[] {
  const [block, layers] = DEPTHS[name];
  const old = TYPE_A.includes(name);
  const style: Style = {
    space,
    block,
    shortcut: old ? 'A' : 'B',
    shortcutBias: old,
    activation: relu,
    norm: batch,
  };
  const kernel = new Array<number>(space).fill(STEM_KERNEL);
  const stride = new Array<number>(space).fill(2);
  return resNetFeatures(at, { style, from, planes: PLANES, layers, kernel, stride, pools: true }).features;
}

export const resNetChannels = (name: string): number[] => [
  PLANES[0],
  ...PLANES.map((n) => n * EXPANSION[DEPTHS[name][0]]),
];

interface ResidualBlock {
  readonly style: Style;
  readonly from: number;
  readonly planes: number;
  readonly step: number;
}

const batch = normOf({ name: 'batch', arguments: new Arguments('batch', {}) });
const relu = activationOf({ name: 'relu', arguments: new Arguments('relu', {}) });

function residualBlock(at: States, { style, from, planes, step }: ResidualBlock): Layer {
  const { space, block } = style;
  const to = planes * EXPANSION[block];
  /** Kernels, widths and strides of the block's convolutions. */
  const plan =
    block === 'basic'
      ? [
          [3, from, planes, step],
          [3, planes, planes, 1],
        ]
      : [
          [1, from, planes, 1],
          [3, planes, planes, step],
          [1, planes, to, 1],
        ];
  const act = relu(at.under('act'));
  const layers = plan.flatMap(([kernel, c, n, stride], i) => {
    const padding = (kernel - 1) / 2;
    const layer = convModule(at.under(`conv${i + 1}`), { space, from: c, to: n, kernel, stride, padding, bias: false });
    const normed = batch(at.under(`bn${i + 1}`), n);
    return i < plan.length - 1 ? [layer, normed, act] : [layer, normed];
  });
  const body = chain(layers);
  const shortcut = step === 1 && from === to ? (x: Value) => x : shortcutModule(at, style, from, to, step);
  return (x) => act(add(body(x), shortcut(x)));
}

function shortcutModule(at: States, style: Style, from: number, to: number, step: number): Layer {
  const { space, shortcut, shortcutBias: bias } = style;
  const here = at.under('downsample');
  if (shortcut === 'B')
    return chain([
      convModule(here.under(0), { space, from, to, kernel: 1, stride: step, bias }),
      batch(here.under(1), to),
    ]);
  return (x) =>
    here.within(x.graph, () => {
      const taken = slices(
        x,
        x.shape.slice(2).map((n, i) => ({ axis: 2 + i, start: 0, end: n, step })),
      );
      const after = x.shape.map((_, axis) => (axis === 1 ? to - from : 0));
      return pad(
        taken,
        after.map(() => 0),
        after,
      );
    });
}
