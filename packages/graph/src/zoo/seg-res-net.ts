/** MONAI's SegResNet: residual blocks before their norms, no auto-encoder branch (Myronenko 2018, arXiv 1810.11654). */
import { add } from '../layers/arithmetic.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { type ActivationMaker, activationOf } from './modules/activation.js';
import { convModule } from './modules/convolution.js';
import { dropoutModule } from './modules/dropout.js';
import { type NormMaker, normOf } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { UPSAMPLE_MODES, upsampleModule } from './modules/upsample.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import type { States } from './states.js';

interface Style {
  readonly space: number;
  readonly norm: NormMaker;
  readonly activation: ActivationMaker;
}

/** Arguments as `monai.networks.nets.SegResNet`. Throws NetworkError. */
export function segResNet(given: NetworkArguments): Network {
  const read = new Arguments('SegResNet', given);
  const space = read.space('spatial_dims', 3);
  const filters = read.whole('init_filters', 8);
  const [from, to] = [read.whole('in_channels', 1), read.whole('out_channels', 2)];
  const probability = read.share('dropout_prob');
  const groups = read.whole('num_groups', 8);
  const oldStyle = read.text('norm_name', ['', 'group', 'GROUP'], '') !== '';
  const norm = read.layer('norm', ['group', { num_groups: 8 }]);
  const style: Style = {
    space,
    norm: normOf(oldStyle ? { name: 'group', arguments: new Arguments('group', { num_groups: groups }) } : norm),
    activation: activationOf(read.layer('act', 'relu')),
  };
  const final = read.flag('use_conv_final', true);
  const [down, up] = [read.wholes('blocks_down', [1, 2, 2, 4]), read.wholes('blocks_up', [1, 1, 1])];
  const mode = read.text('upsample_mode', UPSAMPLE_MODES, 'nontrainable');
  read.finish();
  if (up.length >= down.length) read.wrong('blocks_up', 'must be shorter than blocks_down');

  return simpleNetwork('SegResNet', (at) => {
    const finalActivation = style.activation(at.under('act_mod'));
    const first = bareConv(at.under('convInit'), { space, from, to: filters });
    const dropout = dropoutModule(at.under('dropout'), { probability, channels: true });
    const downs = down.map((blocks, i) => {
      const here = at.under(`down_layers.${i}`);
      const c = filters * 2 ** i;
      const half = i > 0 ? [bareConv(here.under(0), { space, from: c / 2, to: c, stride: 2 })] : [];
      return chain([...half, ...residualBlocks(here, 1, blocks, c, style)]);
    });
    const widths = up.map((_, i) => filters * 2 ** (up.length - i));
    const ups = up.map((blocks, i) =>
      chain(residualBlocks(at.under(`up_layers.${i}`), 0, blocks, widths[i] / 2, style)),
    );
    const samples = widths.map((c, i) => {
      const here = at.under(`up_samples.${i}`);
      const reduce = bareConv(here.under(0), { space, from: c, to: c / 2, kernel: 1 });
      const options = { space, from: c / 2, to: c / 2, mode, interpolation: 'linear', alignCorners: false } as const;
      return chain([reduce, upsampleModule(here.under(1), { ...options, preConv: 'default' })]);
    });
    const head = chain([
      style.norm(at.under('conv_final.0'), filters),
      finalActivation,
      bareConv(at.under('conv_final.2'), { space, from: filters, to, kernel: 1, bias: true }),
    ]);
    at.alias('act_mod', 'conv_final.1');
    return (x) => {
      const skips = [dropout(first(x))];
      for (const layer of downs) skips.unshift(layer(skips[0]));
      const y = samples.reduce((z, sample, i) => ups[i](add(sample(z), skips[i + 1])), skips[0]);
      return final ? head(y) : y;
    };
  });
}

interface BareConv {
  readonly space: number;
  readonly from: number;
  readonly to: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly bias?: boolean;
}

const bareConv = (at: States, { kernel = 3, bias = false, ...rest }: BareConv): Layer =>
  convModule(at.under('conv'), { kernel, bias, padding: (kernel - 1) / 2, ...rest });

function residualBlocks(at: States, first: number, count: number, channels: number, style: Style): Layer[] {
  const { space, norm, activation } = style;
  return Array.from({ length: count }, (_, i): Layer => {
    const here = at.under(first + i);
    const norms = [norm(here.under('norm1'), channels), norm(here.under('norm2'), channels)];
    const act = activation(here.under('act'));
    const convs = ['conv1', 'conv2'].map((name) => bareConv(here.under(name), { space, from: channels, to: channels }));
    const body = chain(norms.flatMap((layer, k) => [layer, act, convs[k]]));
    return (x) => add(body(x), x);
  });
}
