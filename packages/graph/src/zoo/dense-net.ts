/** MONAI's DenseNet (Huang et al. 2017, arXiv 1608.06993): each layer adds a few channels to all before it. */
import { concat, reshape } from '../layers/layout.js';
import { averagePool, globalAveragePool, maxPool } from '../layers/pooling.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { kaimingNormal } from './initial-rules.js';
import { type ActivationMaker, activationOf } from './modules/activation.js';
import { convModule, linearModule } from './modules/convolution.js';
import { dropoutModule } from './modules/dropout.js';
import { type NormMaker, normOf } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import type { States } from './states.js';

const BLOCKS: Readonly<Record<string, readonly number[]>> = {
  DenseNet: [6, 12, 24, 16],
  DenseNet121: [6, 12, 24, 16],
  DenseNet169: [6, 12, 32, 32],
  DenseNet201: [6, 12, 48, 32],
  DenseNet264: [6, 12, 64, 48],
};

export type DenseNetName = 'DenseNet' | 'DenseNet121' | 'DenseNet169' | 'DenseNet201' | 'DenseNet264';

interface Style {
  readonly space: number;
  readonly norm: NormMaker;
  readonly activation: ActivationMaker;
  readonly growth: number;
  /** Width of the 1×1 convolution before each layer's own, in growths. */
  readonly bottleneck: number;
  readonly dropout: number;
}

/** Arguments as `monai.networks.nets.DenseNet121` and its siblings; weights come by loadState, never from a download. */
export function denseNet(name: DenseNetName, given: NetworkArguments): Network {
  const read = new Arguments(name, given);
  const space = read.space();
  const [from, to] = [read.whole('in_channels'), read.whole('out_channels')];
  const first = read.whole('init_features', 64);
  const blocks = read.wholes('block_config', BLOCKS[name]);
  const style: Style = {
    space,
    growth: read.whole('growth_rate', 32),
    bottleneck: read.whole('bn_size', 4),
    activation: activationOf(read.layer('act', 'relu')),
    norm: normOf(read.layer('norm', 'batch')),
    dropout: read.share('dropout_prob'),
  };
  read.only('pretrained', false);
  read.skip('progress');
  read.finish();

  const declare = (at: States): Layer => {
    const features = at.under('features');
    const { norm, activation } = style;
    const layers: Layer[] = [
      convModule(features.under('conv0'), { space, from, to: first, kernel: 7, stride: 2, padding: 3, bias: false }),
      norm(features.under('norm0'), first),
      activation(features.under('relu0')),
      (x) => features.within(x.graph, () => maxPool(x, 3, { stride: 2, padding: 1 })),
    ];
    const channels = blocks.reduce((c, count, i) => {
      layers.push(...denseBlock(features.under(`denseblock${i + 1}`), c, count, style));
      const wide = c + count * style.growth;
      if (i === blocks.length - 1) {
        layers.push(norm(features.under('norm5'), wide));
        return wide;
      }
      layers.push(transition(features.under(`transition${i + 1}`), wide, style));
      return Math.floor(wide / 2);
    }, first);
    const head = at.under('class_layers');
    layers.push(activation(head.under('relu')), flatMean(head));
    return chain([...layers, linearModule(head.under('out'), { from: channels, to })]);
  };
  return simpleNetwork(name, declare, { initial: kaimingNormal });
}

/** Means over space as [batch, channels]. */
export const flatMean =
  (at: States): Layer =>
  (x) =>
    at.within(x.graph, () => reshape(globalAveragePool(x), x.shape.slice(0, 2)));

function denseBlock(at: States, from: number, count: number, style: Style): Layer[] {
  const { space, norm, activation, growth, bottleneck, dropout } = style;
  return Array.from({ length: count }, (_, i): Layer => {
    const here = at.under(`denselayer${i + 1}.layers`);
    const c = from + i * growth;
    const middle = bottleneck * growth;
    const layer = chain([
      norm(here.under('norm1'), c),
      activation(here.under('relu1')),
      convModule(here.under('conv1'), { space, from: c, to: middle, kernel: 1, bias: false }),
      norm(here.under('norm2'), middle),
      activation(here.under('relu2')),
      convModule(here.under('conv2'), { space, from: middle, to: growth, kernel: 3, padding: 1, bias: false }),
      dropoutModule(here.under('dropout'), { probability: dropout, channels: true }),
    ]);
    return (x) => {
      const added = layer(x);
      return here.within(x.graph, () => concat([x, added]));
    };
  });
}

function transition(at: States, from: number, { space, norm, activation }: Style): Layer {
  return chain([
    norm(at.under('norm'), from),
    activation(at.under('relu')),
    convModule(at.under('conv'), { space, from, to: Math.floor(from / 2), kernel: 1, bias: false }),
    (x) => at.within(x.graph, () => averagePool(x, 2)),
  ]);
}
