/**
 * InnerEye's UNet3D and UNet2D. Skips are added after a convolution of their own instead of being put beside (less memory), and
 * upsampling kernels are twice the stride, against checkerboards. UNet2D is the same graph with kernels that are flat along z.
 */
import type { Value } from '../graph/value.js';
import { relu } from '../layers/activations.js';
import { add } from '../layers/arithmetic.js';
import { showShape } from '../tensor/shape.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { torchInitial } from './initial-rules.js';
import { basicLayer, encodeBlock, innerEyeInitial, NORM_INITIAL, paddingOf } from './inner-eye-blocks.js';
import { convModule, transposedModule } from './modules/convolution.js';
import { all } from './modules/convolution-block.js';
import { batchNormModule } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, simpleNetwork } from './network.js';
import { NetworkError } from './network-error.js';
import type { States } from './states.js';

interface Plan {
  readonly from: number;
  readonly features: number;
  readonly classes: number;
  readonly kernel: readonly number[];
  readonly levels: number;
  readonly factor: readonly number[];
  readonly dilation: readonly number[];
  readonly pads: boolean;
}

const PADDINGS = ['zero', 'no_padding'] as const;
const DEEPEST = 8;

/**
 * Arguments as InnerEye's UNet3D: input_image_channels, initial_feature_channels, num_classes, kernel_size, num_downsampling_paths,
 * downsampling_factor, downsampling_dilation, padding_mode. Input [batch, channels, z, y, x], sides multiples of factor^paths.
 */
export function unet3d(given: NetworkArguments): Network {
  const read = new Arguments('UNet3D', given);
  const plan: Plan = {
    from: read.whole('input_image_channels'),
    features: read.whole('initial_feature_channels'),
    classes: read.whole('num_classes'),
    kernel: read.perAxis('kernel_size', 3, 3),
    levels: read.whole('num_downsampling_paths', 4),
    factor: read.perAxis('downsampling_factor', 3, 2),
    dilation: read.perAxis('downsampling_dilation', 3, 1),
    // Without padding skips and upsampled maps differ in size, and upstream's sum fails: only zero padding can work.
    pads:
      read.text('padding_mode', PADDINGS, 'zero') === 'zero' ||
      read.unsupported('padding_mode', 'cannot work in a U-Net'),
  };
  return innerEyeUnet('UNet3D', read, plan);
}

/** Arguments as InnerEye's UNet2D: as UNet3D, with one number for the dilation along y and x; the input keeps its axis z. */
export function unet2d(given: NetworkArguments): Network {
  const read = new Arguments('UNet2D', given);
  const dilation = read.whole('downsampling_dilation', 2);
  const plan: Plan = {
    from: read.whole('input_image_channels'),
    features: read.whole('initial_feature_channels'),
    classes: read.whole('num_classes'),
    kernel: [1, 3, 3],
    levels: read.whole('num_downsampling_paths', 4),
    factor: [1, 2, 2],
    dilation: [1, dilation, dilation],
    pads:
      read.text('padding_mode', PADDINGS, 'zero') === 'zero' ||
      read.unsupported('padding_mode', 'cannot work in a U-Net'),
  };
  return innerEyeUnet('UNet2D', read, plan);
}

function innerEyeUnet(name: string, read: Arguments, plan: Plan): Network {
  read.finish();
  const { from, features, classes, levels, kernel, factor, dilation, pads } = plan;
  if (levels > DEEPEST) read.wrong('num_downsampling_paths', `is more than ${DEEPEST}`);
  const block = { kernel, pads, residual: true };
  return simpleNetwork(
    name,
    (at) => {
      const list = at.under('_layers');
      const downs = Array.from({ length: levels + 1 }, (_, i) =>
        encodeBlock(
          list.under(i),
          i === 0
            ? { ...block, from, to: features }
            : { ...block, from: features * 2 ** (i - 1), to: features * 2 ** i, stride: factor, dilation },
        ),
      );
      const ups = Array.from({ length: levels }, (_, i) => {
        const c = features * 2 ** (levels - 1 - i);
        const first = levels + 1 + 2 * i;
        const up = upsampleBlock(list.under(first), 2 * c, c, factor);
        const join = synthesisBlock(list.under(first + 1), c, plan);
        return (x: Value, skip: Value) => join(up(x), skip);
      });
      const head = convModule(at.under('output_layer'), {
        space: 3,
        from: features,
        to: classes,
        kernel: 1,
        initial: torchInitial.conv,
      });
      return (x) => {
        const steps = factor.map((f) => f ** levels);
        if (x.shape.slice(2).some((n, i) => n % steps[i] !== 0))
          throw new NetworkError('wrong-argument', `${name} wants sides in multiples of ${showShape(steps)}`, {
            where: showShape(x.shape),
            next: 'Pad or crop the image',
          });
        const skips: Value[] = [];
        for (const down of downs) skips.unshift(down(skips[0] ?? x));
        return head(ups.reduce((y, up, i) => up(y, skips[i + 1]), skips[0]));
      };
    },
    { initial: innerEyeInitial },
  );
}

/** This block's tensors start as PyTorch's: upstream draws anew only those of its other blocks. */
function upsampleBlock(at: States, from: number, to: number, factor: readonly number[]): Layer {
  const kernel = factor.map((f) => (f > 1 ? 2 * f : 1));
  const padding = paddingOf(kernel, all(3, 1));
  return chain([
    transposedModule(at.under('upsample_block.0'), { space: 3, from, to, kernel, stride: factor, padding }),
    batchNormModule(at.under('upsample_block.1'), to),
    (x) => at.within(x.graph, () => relu(x)),
  ]);
}

function synthesisBlock(at: States, channels: number, { kernel, pads }: Plan): (x: Value, skip: Value) => Value {
  const same = { from: channels, to: channels, kernel, pads };
  const [first, second] = ['conv1', 'conv2'].map((name) =>
    basicLayer(at.under(name), { ...same, norm: false, activates: false }),
  );
  const norm = batchNormModule(at.under('activation_block.0'), channels, { weightInitial: NORM_INITIAL });
  const block = basicLayer(at.under('block2'), same);
  return (x, skip) => {
    const joined = norm(add(first(x), second(skip)));
    const y = at.within(x.graph, () => relu(joined));
    return add(block(y), y);
  };
}
