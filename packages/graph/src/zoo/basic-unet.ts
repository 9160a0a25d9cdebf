/** MONAI's BasicUNet: two convolutions a level, max pooling down (after Falk et al. 2019, doi 10.1038/s41592-018-0261-2). */
import { maxPool } from '../layers/pooling.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { convModule } from './modules/convolution.js';
import { readAdn } from './modules/convolution-block.js';
import { twoConv, UPSAMPLE_MODES, type UpCat, upCat } from './modules/upsample.js';
import { type Network, simpleNetwork } from './network.js';

const FEATURES = [32, 32, 64, 128, 256, 32];

/** Arguments as `monai.networks.nets.BasicUNet`. Throws NetworkError. */
export function basicUnet(given: NetworkArguments): Network {
  const read = new Arguments('BasicUNet', given);
  const space = read.space('spatial_dims', 3);
  const [from, to] = [read.whole('in_channels', 1), read.whole('out_channels', 2)];
  const f = read.wholes('features', FEATURES);
  const bias = read.flag('bias', true);
  const mode = read.text('upsample', UPSAMPLE_MODES, 'deconv');
  const adn = readAdn(read, ['instance', { affine: true }], ['leakyrelu', { negative_slope: 0.1 }]);
  read.finish();
  if (f.length !== FEATURES.length) read.wrong('features', `has ${f.length} numbers, not ${FEATURES.length}`);
  const two = { space, bias, adn };
  const up: UpCat['up'] = { mode, preConv: 'default', interpolation: 'linear', alignCorners: true };
  return simpleNetwork('BasicUNet', (at) => {
    const first = twoConv(at.under('conv_0'), { ...two, from, to: f[0] });
    const downs = [1, 2, 3, 4].map((i) => twoConv(at.under(`down_${i}.convs`), { ...two, from: f[i - 1], to: f[i] }));
    const ups = [4, 3, 2, 1].map((i) =>
      upCat(at.under(`upcat_${i}`), {
        ...two,
        from: f[i],
        skip: f[i - 1],
        to: i === 1 ? f[5] : f[i - 1],
        up,
        halves: i !== 1,
        pads: true,
      }),
    );
    const final = convModule(at.under('final_conv'), { space, from: f[5], to, kernel: 1 });
    return (x) => {
      const skips = [first(x)];
      for (const down of downs) skips.unshift(down(maxPool(skips[0], 2)));
      return final(ups.reduce((y, layer, i) => layer(y, skips[i + 1]), skips[0]));
    };
  });
}
