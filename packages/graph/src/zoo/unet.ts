/** MONAI's UNet: strided convolutions down, transposed ones up, residual units (Kerfoot et al. 2019, doi 10.1007/978-3-030-12029-0_40). */
import { concat } from '../layers/layout.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import {
  type Adn,
  all,
  convolutionBlock,
  NOTHING,
  readAdn,
  readOrdering,
  residualUnit,
} from './modules/convolution-block.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import type { States } from './states.js';

interface Plan {
  readonly space: number;
  readonly kernel: readonly number[];
  readonly upKernel: readonly number[];
  readonly units: number;
  readonly bias: boolean;
  readonly adn: Adn;
}

/** Arguments as `monai.networks.nets.UNet`. Throws NetworkError. */
export function unet(given: NetworkArguments): Network {
  const read = new Arguments('UNet', given);
  const space = read.space();
  const [from, to] = [read.whole('in_channels'), read.whole('out_channels')];
  const channels = read.wholes('channels');
  const strides = read.perAxisList('strides', space);
  const plan: Plan = {
    space,
    kernel: read.perAxis('kernel_size', space, 3),
    upKernel: read.perAxis('up_kernel_size', space, 3),
    units: read.whole('num_res_units', 0),
    bias: read.flag('bias', true),
    adn: readAdn(read, 'instance', 'prelu', readOrdering(read)),
  };
  read.finish();
  if (channels.length < 2) read.wrong('channels', 'has fewer than two levels');
  if (strides.length < channels.length - 1) read.wrong('strides', `is shorter than ${channels.length - 1}`);
  return simpleNetwork('UNet', (at) => level(at.under('model'), plan, { from, to, channels, strides, top: true }));
}

interface Level {
  readonly from: number;
  readonly to: number;
  readonly channels: readonly number[];
  readonly strides: readonly (readonly number[])[];
  readonly top: boolean;
}

/** Down, all levels below, and up; what comes from below is put behind what went down. */
function level(at: States, plan: Plan, { from, to, channels, strides, top }: Level): Layer {
  const [c, below] = channels;
  const stride = strides[0];
  const down = downLayer(at.under(0), plan, from, c, stride);
  const inner = at.under('1.submodule');
  const deeper = channels.length > 2;
  const submodule = deeper
    ? level(inner, plan, { from: c, to: c, channels: channels.slice(1), strides: strides.slice(1), top: false })
    : downLayer(inner, plan, c, below, all(plan.space, 1));
  const up = upLayer(at.under(2), plan, { from: c + (deeper ? c : below), to, stride, top });
  return (x) => {
    const skip = down(x);
    const deep = submodule(skip);
    return up(at.within(x.graph, () => concat([skip, deep])));
  };
}

function downLayer(at: States, plan: Plan, from: number, to: number, stride: readonly number[]): Layer {
  const { space, kernel, bias, adn, units } = plan;
  const options = { space, from, to, kernel, stride, bias, adn };
  return units > 0 ? residualUnit(at, { ...options, subunits: units }) : convolutionBlock(at, options);
}

function upLayer(
  at: States,
  plan: Plan,
  { from, to, stride, top }: { from: number; to: number; stride: readonly number[]; top: boolean },
): Layer {
  const { space, kernel, upKernel, bias, adn, units } = plan;
  const transposed = { space, from, to, kernel: upKernel, stride, bias, transposed: true };
  if (units === 0) return convolutionBlock(at, { ...transposed, adn: top ? NOTHING : adn });
  return chain([
    convolutionBlock(at.under(0), { ...transposed, adn }),
    residualUnit(at.under(1), { space, from: to, to, kernel, bias, adn, subunits: 1, lastConvOnly: top }),
  ]);
}
