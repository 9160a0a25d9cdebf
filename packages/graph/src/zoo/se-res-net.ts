/**
 * MONAI's squeeze-and-excitation networks (Hu et al. 2018, arXiv 1709.01507). As in the Caffe original the stride of SE-ResNet
 * stands in the first 1×1 convolution, that of SENet and SE-ResNeXt in the 3×3 one.
 */

import { relu, sigmoid } from '../layers/activations.js';
import { add, mul } from '../layers/arithmetic.js';
import { reshape } from '../layers/layout.js';
import { globalAveragePool, maxPool } from '../layers/pooling.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { kaimingNormal } from './initial-rules.js';
import { convModule, linearModule } from './modules/convolution.js';
import { type Adn, all, convolutionBlock } from './modules/convolution-block.js';
import { dropoutModule } from './modules/dropout.js';
import { batchNormModule } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import type { States } from './states.js';

type Kind = 'se_bottleneck' | 'se_resnet_bottleneck' | 'se_resnetxt_bottleneck';

interface Defaults {
  readonly kind: Kind;
  readonly layers: readonly number[];
  readonly groups: number;
  readonly inplanes: number;
  /** Of the shortcut's convolution from the second stage on. */
  readonly shortcutKernel: number;
  readonly input3x3: boolean;
  readonly dropout: number;
}

const plain = { kind: 'se_resnet_bottleneck', groups: 1, inplanes: 64, shortcutKernel: 1, input3x3: false } as const;
const next = { ...plain, kind: 'se_resnetxt_bottleneck', groups: 32, dropout: 0 } as const;

const NETS: Readonly<Record<string, Defaults>> = {
  SENet154: {
    kind: 'se_bottleneck',
    layers: [3, 8, 36, 3],
    groups: 64,
    inplanes: 128,
    shortcutKernel: 3,
    input3x3: true,
    dropout: 0.2,
  },
  SEResNet50: { ...plain, layers: [3, 4, 6, 3], dropout: 0 },
  SEResNet101: { ...plain, layers: [3, 4, 23, 3], dropout: 0.2 },
  SEResNet152: { ...plain, layers: [3, 8, 36, 3], dropout: 0.2 },
  SEResNext50: { ...next, layers: [3, 4, 6, 3] },
  SEResNext101: { ...next, layers: [3, 4, 23, 3] },
};

const PLANES = [64, 128, 256, 512];
const EXPANSION = 4;
const RESNEXT_WIDTH = 4 / 64;
const STEM_CHANNELS = 64;

/** Arguments as `monai.networks.nets.SEResNet50` and its siblings. Throws NetworkError. */
export function seResNet(name: string, given: NetworkArguments): Network {
  const defaults = NETS[name];
  const read = new Arguments(name, given);
  const space = read.space();
  const from = read.whole('in_channels');
  const layers = read.wholes('layers', defaults.layers);
  const groups = read.whole('groups', defaults.groups);
  const reduction = read.whole('reduction', 16);
  const probability = read.share('dropout_prob', defaults.dropout);
  const wholeChannels = read.whole('dropout_dim', 1) > 1;
  const inplanes = read.whole('inplanes', defaults.inplanes);
  const shortcutKernel = read.whole('downsample_kernel_size', defaults.shortcutKernel);
  const input3x3 = read.flag('input_3x3', defaults.input3x3);
  const classes = read.whole('num_classes', 1000);
  read.only('pretrained', false);
  read.skip('progress');
  read.finish();
  if (layers.length !== PLANES.length) read.wrong('layers', 'must have 4 stages');

  const declare = (at: States): Layer => {
    const stem = stemModule(at.under('layer0'), { space, from, to: inplanes, three: input3x3 });
    let channels = inplanes;
    const stages = layers.flatMap((count, i) =>
      Array.from({ length: count }, (_, m) => {
        const stride = i > 0 && m === 0 ? 2 : 1;
        const kernel = i === 0 ? 1 : shortcutKernel;
        const options = { space, kind: defaults.kind, from: channels, planes: PLANES[i], groups, reduction };
        channels = PLANES[i] * EXPANSION;
        return seBlock(at.under(`layer${i + 1}.${m}`), { ...options, stride, shortcutKernel: kernel });
      }),
    );
    const dropout = dropoutModule(at.under('dropout'), { probability, channels: wholeChannels });
    const last = linearModule(at.under('last_linear'), { from: channels, to: classes });
    return chain([
      stem,
      ...stages,
      (x) => at.under('adaptive_avg_pool').within(x.graph, () => globalAveragePool(x)),
      dropout,
      (x) => last(reshape(x, x.shape.slice(0, 2))),
    ]);
  };
  return simpleNetwork(name, declare, { initial: kaimingNormal });
}

interface Stem {
  readonly space: number;
  readonly from: number;
  readonly to: number;
  /** Three convolutions of 3 instead of one of 7. */
  readonly three: boolean;
}

function stemModule(at: States, { space, from, to, three }: Stem): Layer {
  const plan = three
    ? [
        [from, STEM_CHANNELS, 3, 2],
        [STEM_CHANNELS, STEM_CHANNELS, 3, 1],
        [STEM_CHANNELS, to, 3, 1],
      ]
    : [[from, to, 7, 2]];
  const layers = plan.flatMap(([c, n, kernel, stride], i): Layer[] => [
    convModule(at.under(`conv${i + 1}`), {
      space,
      from: c,
      to: n,
      kernel,
      stride,
      padding: (kernel - 1) / 2,
      bias: false,
    }),
    batchNormModule(at.under(`bn${i + 1}`), n),
    (x) => at.within(x.graph, () => relu(x)),
  ]);
  return chain([...layers, (x) => at.within(x.graph, () => maxPool(x, 3, { stride: 2, ceil: true }))]);
}

interface SeBlock {
  readonly space: number;
  readonly kind: Kind;
  readonly from: number;
  readonly planes: number;
  readonly groups: number;
  readonly reduction: number;
  readonly stride: number;
  readonly shortcutKernel: number;
}

const NORM: Adn = { ordering: 'N', norm: batchNormModule };
const NORM_RELU: Adn = { ordering: 'NA', norm: batchNormModule, activation: () => relu };

function seBlock(at: States, options: SeBlock): Layer {
  const { space, kind, from, planes, groups, reduction, stride, shortcutKernel } = options;
  const to = planes * EXPANSION;
  const early = kind === 'se_resnet_bottleneck';
  const [first, second] =
    kind === 'se_bottleneck'
      ? [planes * 2, planes * 4]
      : early
        ? [planes, planes]
        : [Math.floor(planes * RESNEXT_WIDTH) * groups, Math.floor(planes * RESNEXT_WIDTH) * groups];
  const block = (name: string, c: number, n: number, kernel: number, step: number, adn: Adn) =>
    convolutionBlock(at.under(name), {
      space,
      from: c,
      to: n,
      kernel: all(space, kernel),
      stride: all(space, step),
      groups: name === 'conv2' ? groups : 1,
      bias: false,
      adn,
    });
  const body = chain([
    block('conv1', from, first, 1, early ? stride : 1, NORM_RELU),
    block('conv2', first, second, 3, early ? 1 : stride, NORM_RELU),
    block('conv3', second, to, 1, 1, NORM),
    squeezeExcite(at.under('se_layer'), to, reduction),
  ]);
  const changes = stride !== 1 || from !== to;
  const shortcut: Layer = changes ? block('project', from, to, shortcutKernel, stride, NORM) : (x) => x;
  return (x) => at.within(x.graph, () => relu(add(body(x), shortcut(x))));
}

/** Each channel times a gate made from the means of all channels. */
function squeezeExcite(at: States, channels: number, reduction: number): Layer {
  const middle = Math.floor(channels / reduction);
  const reduce = linearModule(at.under('fc.0'), { from: channels, to: middle });
  const expand = linearModule(at.under('fc.2'), { from: middle, to: channels });
  return (x) => {
    const [batch] = x.shape;
    const means = at.within(x.graph, () => reshape(globalAveragePool(x), [batch, channels]));
    const gates = sigmoid(expand(relu(reduce(means))));
    return at.within(x.graph, () => mul(x, reshape(gates, [batch, channels, ...x.shape.slice(2).map(() => 1)])));
  };
}
