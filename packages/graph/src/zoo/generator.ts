/** MONAI's Generator: from a latent vector through transposed convolutions to an image. */
import { reshape } from '../layers/layout.js';
import { sizeOf } from '../tensor/shape.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { linearModule } from './modules/convolution.js';
import { all, convolutionBlock, NOTHING, readAdn, residualUnit } from './modules/convolution-block.js';
import { chain } from './modules/sequence.js';
import { type Network, simpleNetwork } from './network.js';

const LARGEST_START = 2 ** 24;

/** Arguments as `monai.networks.nets.Generator`. Input `latent` [batch, latent_shape…]. Throws NetworkError. */
export function generator(given: NetworkArguments): Network {
  const read = new Arguments('Generator', given);
  const latent = sizeOf(read.wholes('latent_shape'));
  const start = read.wholes('start_shape');
  const space = start.length - 1;
  if (space < 1 || space > 3) read.wrong('start_shape', 'is not [channels, space…]');
  if (latent > LARGEST_START || sizeOf(start) > LARGEST_START) read.wrong('start_shape', 'is too large');
  const channels = read.wholes('channels');
  const strides = read.perAxisList('strides', space);
  const kernel = read.perAxis('kernel_size', space, 3);
  const units = read.whole('num_res_units', 2);
  const bias = read.flag('bias', true);
  const adn = readAdn(read, 'instance', 'prelu');
  read.finish();
  const layers = Math.min(channels.length, strides.length);

  return simpleNetwork(
    'Generator',
    (at) => {
      const linear = linearModule(at.under('linear'), { from: latent, to: sizeOf(start) });
      const body = Array.from({ length: layers }, (_, i) => {
        const here = at.under(`conv.layer_${i}`);
        const to = channels[i];
        const last = i === channels.length - 1;
        const alone = last || units > 0;
        const conv = { space, from: i === 0 ? start[0] : channels[i - 1], to, kernel, stride: strides[i], bias };
        const up = convolutionBlock(units > 0 ? here.under(0) : here, {
          ...conv,
          transposed: true,
          adn: alone ? NOTHING : adn,
        });
        if (units === 0) return up;
        const unit = { space, from: to, to, kernel, stride: all(space, 1), bias, adn, subunits: units };
        return chain([up, residualUnit(here.under(1), { ...unit, lastConvOnly: last })]);
      });
      const image = chain(body);
      return (x) => {
        const [batch] = x.shape;
        const flat = linear(reshape(x, [batch, latent]));
        return image(reshape(flat, [batch, ...start]));
      };
    },
    { inputs: ['latent'] },
  );
}
