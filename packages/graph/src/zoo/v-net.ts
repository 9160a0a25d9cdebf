/** MONAI's VNet (Milletari et al. 2016, arXiv 1606.04797): 5³ convolutions and residual sums at every level. */
import type { Value } from '../graph/value.js';
import { add } from '../layers/arithmetic.js';
import { concat, tile } from '../layers/layout.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { type ActivationMaker, activationOf } from './modules/activation.js';
import { convModule, transposedModule } from './modules/convolution.js';
import { all, convolutionBlock } from './modules/convolution-block.js';
import { dropoutModule } from './modules/dropout.js';
import { batchNormModule } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import type { States } from './states.js';

const FIRST_CHANNELS = 16;
const SPATIAL_DROPOUT_FROM = 2;

interface Style {
  readonly space: number;
  /** PReLUs have one slope for each channel. */
  readonly activation: (channels: number) => ActivationMaker;
  readonly bias: boolean;
  /** Whether dropouts take whole channels. */
  readonly wholeChannels: boolean;
}

/** Arguments as `monai.networks.nets.VNet`. Throws NetworkError. */
export function vNet(given: NetworkArguments): Network {
  const read = new Arguments('VNet', given);
  const space = read.space('spatial_dims', 3);
  const [from, to] = [read.whole('in_channels', 1), read.whole('out_channels', 1)];
  const act = read.layer('act', 'elu');
  const perChannel = act?.name === 'prelu' && given.act === 'prelu';
  const shared = perChannel ? undefined : activationOf(act);
  const style: Style = {
    space,
    activation: (channels) =>
      shared ?? activationOf({ name: 'prelu', arguments: new Arguments('prelu', { num_parameters: channels }) }),
    bias: read.flag('bias', false),
    wholeChannels: read.whole('dropout_dim', 3) >= SPATIAL_DROPOUT_FROM,
  };
  const byOldName = read.has('dropout_prob') ? read.share('dropout_prob') : undefined;
  const down = read.share('dropout_prob_down', byOldName ?? 0.5);
  const up = read.shares('dropout_prob_up', [byOldName ?? 0.5, 0.5]);
  read.skip('dropout_prob');
  read.finish();
  if (from < 1 || FIRST_CHANNELS % from !== 0) read.wrong('in_channels', `does not divide ${FIRST_CHANNELS}`);

  return simpleNetwork('VNet', (at) => {
    const first = inputTransition(at.under('in_tr'), from, style);
    const downs = [1, 2, 3, 2].map((count, i) => {
      const c = FIRST_CHANNELS * 2 ** i;
      return downTransition(at.under(`down_tr${2 * c}`), c, count, i < 2 ? 0 : down, style);
    });
    const ups = [
      [256, 256, 2],
      [256, 128, 2],
      [128, 64, 1],
      [64, 32, 1],
    ].map(([c, n, count], i) =>
      upTransition(at.under(`up_tr${n}`), { from: c, to: n, count, dropouts: i < 2 ? up : [0, 0.5], style }),
    );
    const last = at.under('out_tr');
    const out = chain([
      normedConv(last, FIRST_CHANNELS * 2, to, style, style.bias),
      convModule(last.under('conv2'), { space, from: to, to, kernel: 1 }),
    ]);
    return (x) => {
      const skips = [first(x)];
      for (const layer of downs) skips.unshift(layer(skips[0]));
      return out(ups.reduce((y, layer, i) => layer(y, skips[i + 1]), skips[0]));
    };
  });
}

/** Convolution of 5, batch norm, activation; names as MONAI's `conv_block` and `act_function`. */
function normedConv(at: States, from: number, to: number, style: Style, bias: boolean, act = 'act_function1'): Layer {
  const { space, activation } = style;
  const activate = activation(to)(at.under(act));
  const block = convolutionBlock(at.under('conv_block'), {
    space,
    from,
    to,
    kernel: all(space, 5),
    bias,
    adn: { ordering: 'N', norm: batchNormModule },
  });
  return chain([block, activate]);
}

function inputTransition(at: States, from: number, { space, activation, bias }: Style): Layer {
  const activate = activation(FIRST_CHANNELS)(at.under('act_function'));
  const block = convolutionBlock(at.under('conv_block'), {
    space,
    from,
    to: FIRST_CHANNELS,
    kernel: all(space, 5),
    bias,
    adn: { ordering: 'N', norm: batchNormModule },
  });
  return (x) => {
    const y = block(x);
    const repeats = x.shape.map((_, axis) => (axis === 1 ? FIRST_CHANNELS / from : 1));
    return activate(at.within(x.graph, () => add(y, from === FIRST_CHANNELS ? x : tile(x, repeats))));
  };
}

const convs = (at: States, channels: number, count: number, style: Style, bias: boolean): Layer =>
  chain(
    Array.from({ length: count }, (_, i) =>
      normedConv(at.under(`ops.${i}`), channels, channels, style, bias, 'act_function'),
    ),
  );

function downTransition(at: States, from: number, count: number, probability: number, style: Style): Layer {
  const { space, activation, bias, wholeChannels } = style;
  const to = 2 * from;
  const conv = convModule(at.under('down_conv'), { space, from, to, kernel: 2, stride: 2, bias });
  const norm = batchNormModule(at.under('bn1'), to);
  const [act1, act2] = [1, 2].map((i) => activation(to)(at.under(`act_function${i}`)));
  const ops = convs(at, to, count, style, bias);
  const dropout = dropoutModule(at.under('dropout'), { probability, channels: wholeChannels });
  return (x) => {
    const down = act1(norm(conv(x)));
    return act2(add(ops(dropout(down)), down));
  };
}

interface UpTransition {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Of what comes from below, and of the skip. */
  readonly dropouts: readonly number[];
  readonly style: Style;
}

function upTransition(at: States, options: UpTransition): (x: Value, skip: Value) => Value {
  const { from, to, count, dropouts, style } = options;
  const { space, activation, wholeChannels: channels } = style;
  const up = transposedModule(at.under('up_conv'), { space, from, to: to / 2, kernel: 2, stride: 2 });
  const norm = batchNormModule(at.under('bn1'), to / 2);
  const [below, beside] = dropouts.map((probability, i) =>
    dropoutModule(at.under(i === 0 ? 'dropout' : 'dropout2'), { probability, channels }),
  );
  const act1 = activation(to / 2)(at.under('act_function1'));
  const act2 = activation(to)(at.under('act_function2'));
  const ops = convs(at, to, count, style, false);
  return (x, skip) => {
    const y = act1(norm(up(below(x))));
    const other = beside(skip);
    const joined = at.within(x.graph, () => concat([y, other]));
    return act2(add(ops(joined), joined));
  };
}
