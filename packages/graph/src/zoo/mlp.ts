/** InnerEye's multilayer perceptron: one hidden layer with layer norm and tanh, and a linear one. */
import { tanh } from '../layers/activations.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { linearModule } from './modules/convolution.js';
import { dropoutModule } from './modules/dropout.js';
import { layerNormModule } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import type { States } from './states.js';

export interface Mlp {
  readonly from: number;
  readonly hidden: number;
  readonly to: number;
  readonly dropout: number;
}

/** Over [batch, features]. */
export function mlpModule(at: States, { from, hidden, to, dropout }: Mlp): Layer {
  const first = at.under('model.0.model');
  return chain([
    linearModule(first.under(0), { from, to: hidden }),
    layerNormModule(first.under(1), hidden),
    (x) => first.under(2).within(x.graph, () => tanh(x)),
    dropoutModule(first.under(3), { probability: dropout }),
    linearModule(at.under('model.1.model.0'), { from: hidden, to }),
  ]);
}

/**
 * Arguments as InnerEye's create_mlp: input_num_feature_channels, dropout, final_output_channels, and
 * hidden_layer_num_feature_channels (half of the input unless given). Input [batch, features].
 */
export function mlp(given: NetworkArguments): Network {
  const read = new Arguments('MLP', given);
  const from = read.whole('input_num_feature_channels');
  const dropout = read.share('dropout', 0.5);
  const to = read.whole('final_output_channels', 1);
  const hidden = read.whole('hidden_layer_num_feature_channels', Math.floor(from / 2));
  read.finish();
  if (hidden < 1) read.wrong('input_num_feature_channels', 'leaves no hidden layer');
  return simpleNetwork('MLP', (at) => mlpModule(at, { from, hidden, to, dropout }), { inputs: ['features'] });
}
