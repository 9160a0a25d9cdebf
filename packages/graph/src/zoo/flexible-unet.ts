/** MONAI's FlexibleUNet: an EfficientNet or ResNet as encoder of a U-Net. */
import type { Value } from '../graph/value.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { EFFICIENT_NETS, efficientModules, efficientNorm, featureChannels } from './efficient-net.js';
import { efficientInitial, type InitialRules, kaimingNormalOut, torchInitial } from './initial-rules.js';
import { convModule } from './modules/convolution.js';
import { readAdn } from './modules/convolution-block.js';
import { UPSAMPLE_MODES, type UpCat, upCat } from './modules/upsample.js';
import { type Network, simpleNetwork } from './network.js';
import { encoderOf, RES_NETS, resNetChannels } from './res-net.js';
import type { States } from './states.js';

const DECODER = [256, 128, 64, 32, 16];
const IMAGENET_CLASSES = 1000;

/** Arguments as `monai.networks.nets.FlexibleUNet`. Throws NetworkError. */
export function flexibleUnet(given: NetworkArguments): Network {
  const read = new Arguments('FlexibleUNet', given);
  const [from, to] = [read.whole('in_channels'), read.whole('out_channels')];
  const backbone = read.text('backbone', [...Object.keys(EFFICIENT_NETS), ...RES_NETS]);
  const decoder = read.wholes('decoder_channels', DECODER).slice(0, DECODER.length);
  const space = read.space('spatial_dims', 2);
  const bias = read.flag('decoder_bias', false);
  const interpolation = read.text('interp_mode', ['nearest', 'linear', 'bilinear', 'trilinear'], 'nearest');
  const up: UpCat['up'] = {
    mode: read.text('upsample', UPSAMPLE_MODES, 'nontrainable'),
    preConv: read.isNull('pre_conv') ? 'none' : read.text('pre_conv', ['default'], 'default'),
    interpolation: interpolation === 'nearest' ? 'nearest' : 'linear',
    alignCorners: false,
  };
  const pads = read.flag('is_pad', true);
  const adn = readAdn(read, ['batch', { eps: 1e-3, momentum: 0.1 }], 'relu');
  read.skip('pretrained');
  read.finish();
  if (decoder.length !== DECODER.length) read.wrong('decoder_channels', `must have ${DECODER.length} numbers`);

  return simpleNetwork(
    'FlexibleUNet',
    (at) => {
      const encoder = encoderModules(at.under('encoder'), backbone, space, from);
      // The decoder was not drawn anew by the encoder's rule: it starts as PyTorch makes it.
      const plain = at.starting(torchInitial);
      const blocks = decoder.map((width, i) =>
        upCat(plain.under(`decoder.blocks.${i}`), {
          space,
          from: i === 0 ? encoder.channels[4] : decoder[i - 1],
          skip: i < 4 ? encoder.channels[3 - i] : 0,
          to: width,
          up,
          halves: i < 4,
          pads,
          bias,
          adn,
        }),
      );
      const head = convModule(plain.under('segmentation_head.0'), {
        space,
        from: decoder[4],
        to,
        kernel: 3,
        padding: 1,
      });
      return (x) => {
        const features = encoder.features(x);
        return head(blocks.reduce((y, block, i) => block(y, i < 4 ? features[3 - i] : undefined), features[4]));
      };
    },
    { initial: initialOf(backbone) },
  );
}

const initialOf = (backbone: string): InitialRules =>
  backbone in EFFICIENT_NETS ? efficientInitial : kaimingNormalOut;

interface Encoder {
  readonly features: (x: Value) => readonly Value[];
  readonly channels: readonly number[];
}

/** The head of an EfficientNet is declared (checkpoints have it) and never called. */
function encoderModules(at: States, backbone: string, space: number, from: number): Encoder {
  if (!(backbone in EFFICIENT_NETS))
    return { features: encoderOf(at, backbone, space, from), channels: resNetChannels(backbone) };
  const options = { name: backbone, space, from, classes: IMAGENET_CLASSES, norm: efficientNorm() };
  return { features: efficientModules(at, options).features, channels: featureChannels(backbone) };
}
