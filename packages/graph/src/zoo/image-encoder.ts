/**
 * InnerEye's ImageEncoder, alone or with an MLP on top: U-Net blocks without shortcuts, pooled over all space, non-image features
 * appended. With separate channels one and the same encoder sees each image channel by itself.
 */
import type { Value } from '../graph/value.js';
import { sigmoid, softmax } from '../layers/activations.js';
import { add, mul, sub } from '../layers/arithmetic.js';
import { concat, reshape, slices } from '../layers/layout.js';
import { linear, matMul } from '../layers/matrix.js';
import { globalAveragePool, globalMaxPool } from '../layers/pooling.js';
import { reduceMean } from '../layers/reductions.js';
import { Arguments, type NetworkArguments } from './arguments.js';
import { torchInitial, zero } from './initial-rules.js';
import { basicLayer, encodeBlock, innerEyeInitial, paddingOf } from './inner-eye-blocks.js';
import { mlpModule } from './mlp.js';
import { chain } from './modules/sequence.js';
import { type Layer, type Network, network } from './network.js';
import { NetworkError } from './network-error.js';
import type { States } from './states.js';

/** Segmentations come one-hot. */
const SEGMENTATION_CLASSES = 10;
const CHANNELS_PER_IMAGE = {
  Image: 1,
  Segmentation: SEGMENTATION_CLASSES,
  ImageAndSegmentation: SEGMENTATION_CLASSES + 1,
} as const;

const AGGREGATIONS = ['Average', 'MaxPooling', 'MixPooling', 'GatedPooling', 'ZAdaptive3dAvg'] as const;
type Aggregation = (typeof AGGREGATIONS)[number];

const FLAT_KERNEL = [1, 3, 3];
const FLAT_STRIDE = [1, 2, 2];

interface Plan {
  /** Input channels of the encoder, and how often it is called. */
  readonly from: number;
  readonly calls: number;
  readonly widths: readonly number[];
  readonly kernels: readonly (readonly number[])[];
  readonly strides: readonly (readonly number[])[];
  readonly pads: boolean;
  /** Channels of a last layer that balances image and other features. */
  readonly reduced: number | undefined;
  readonly features: number;
  readonly aggregation: Aggregation;
  readonly scan: readonly number[] | undefined;
}

/** Arguments as InnerEye's ImageEncoder. Output [batch, features, 1, 1, 1], or [batch, all features] with non-image ones. */
export function imageEncoder(given: NetworkArguments): Network {
  const read = new Arguments('ImageEncoder', given);
  const plan = readPlan(read);
  read.finish();
  return network(
    'ImageEncoder',
    (at) => {
      const { encode } = encoder(at, plan);
      return (...inputs) => [encode(inputs[0], inputs[1])];
    },
    details(plan),
  );
}

/** As ImageEncoder, with mlp_dropout; input `image` and, where there are non-image features, `features`; output [batch, 1]. */
export function imageEncoderWithMlp(given: NetworkArguments): Network {
  const read = new Arguments('ImageEncoderWithMlp', given);
  const plan = readPlan(read);
  const dropout = read.share('mlp_dropout', 0.5);
  read.finish();
  return network(
    'ImageEncoderWithMlp',
    (at) => {
      const { encode, channels } = encoder(at, plan);
      const from = channels;
      const head = mlpModule(at.under('classification_layer'), { from, hidden: Math.floor(from / 2), to: 1, dropout });
      return (...inputs) => [head(reshape(encode(inputs[0], inputs[1]), [inputs[0].shape[0], from]))];
    },
    details(plan),
  );
}

const details = ({ features }: Plan) => ({
  inputs: features > 0 ? ['image', 'features'] : ['image'],
  initial: innerEyeInitial,
});

function readPlan(read: Arguments): Plan {
  const blocks = read.whole('num_encoder_blocks', 5);
  const first = read.whole('initial_feature_channels', 32);
  const images = read.whole('num_image_channels', 1);
  const jointly = read.flag('encode_channels_jointly', false);
  const kind = read.text('imaging_feature_type', ['Image', 'Segmentation', 'ImageAndSegmentation'], 'Image');
  const features = read.whole('num_non_image_features', 0);
  const factor = read.real('encoder_dimensionality_reduction_factor', 0.8);
  const widths = Array.from({ length: blocks - 1 }, (_, i) => first * (i + 1));
  const perImage = CHANNELS_PER_IMAGE[kind];
  if (widths.length === 0 || first < 1) read.wrong('num_encoder_blocks', 'leaves no encoder');
  read.skip('use_mixed_precision');
  return {
    from: jointly ? images * perImage : perImage,
    calls: jointly ? 1 : images,
    widths,
    kernels: read.perBlock('kernel_size_per_encoding_block', blocks, FLAT_KERNEL),
    strides: read.perBlock('stride_size_per_encoding_block', blocks, FLAT_STRIDE),
    pads: read.text('padding_mode', ['zero', 'no_padding'], 'no_padding') === 'zero',
    reduced: features > 0 && factor < 1 ? Math.max(Math.floor(factor * widths[widths.length - 1]), 1) : undefined,
    features,
    aggregation: read.text('aggregation_type', AGGREGATIONS, 'Average'),
    scan: read.has('scan_size') ? read.wholes('scan_size') : undefined,
  };
}

interface Encoder {
  readonly encode: (image: Value, features?: Value) => Value;
  readonly channels: number;
}

function encoder(at: States, plan: Plan): Encoder {
  const { from, calls, widths, kernels, strides, pads, reduced, features } = plan;
  const list = at.under('encoder');
  const layers = widths.map((to, i) =>
    encodeBlock(list.under(i), {
      from: i === 0 ? from : widths[i - 1],
      to,
      kernel: kernels[i],
      stride: strides[i],
      pads,
      residual: false,
    }),
  );
  const last = widths[widths.length - 1];
  if (reduced !== undefined)
    layers.push(
      basicLayer(list.under(widths.length), {
        from: last,
        to: reduced,
        kernel: FLAT_KERNEL,
        stride: FLAT_STRIDE,
        pads,
        activates: false,
      }),
    );
  const aggregate = aggregation(at.under('aggregation_layer'), plan);
  const whole = chain([...layers, aggregate]);
  const encode = (image: Value, other?: Value): Value => {
    // Upstream's running statistics move once for each channel, one after the other; a graph updates a tensor once in a step.
    if (calls > 1 && image.graph.mode === 'train')
      throw new NetworkError('unsupported-argument', 'ImageEncoder: separate image channels cannot be trained yet', {
        where: 'encode_channels_jointly',
        next: 'Set encode_channels_jointly, or give one image channel',
      });
    const parts = Array.from({ length: calls }, (_, i) =>
      whole(slices(image, [{ axis: 1, start: i * from, end: (i + 1) * from }])),
    );
    const encoded = concat(parts);
    return other ? concat([reshape(encoded, [encoded.shape[0], -1]), other]) : encoded;
  };
  return { encode, channels: (reduced ?? last) * calls + features };
}

/** Over all of space, to size 1. */
function aggregation(at: States, plan: Plan): Layer {
  const mix = (x: Value, share: Value) => add(mul(globalAveragePool(x), share), mul(globalMaxPool(x), sub(1, share)));
  switch (plan.aggregation) {
    case 'Average':
      return globalAveragePool;
    case 'MaxPooling':
      return globalMaxPool;
    case 'MixPooling': {
      const weight = at.parameter('mixing_weight', [1], zero);
      return (x) => mix(x, sigmoid(weight(x.graph)));
    }
    case 'GatedPooling': {
      const size = encodedSize(plan).reduce((product, n) => product * n, 1);
      const initial = torchInitial.linear([1, size]);
      const weight = at.parameter('gate.0.weight', [1, size], initial.weight);
      const bias = at.parameter('gate.0.bias', [1], initial.bias);
      return (x) => {
        const [batch, channels] = x.shape;
        const gates = sigmoid(linear(reshape(x, [batch, channels, size]), weight(x.graph), bias(x.graph)));
        return mix(x, reshape(gates, [batch, channels, 1, 1, 1]));
      };
    }
    case 'ZAdaptive3dAvg': {
      const depth = encodedSize(plan)[0];
      const weight = at.parameter('scan_weight', [depth, 1], zero);
      return (x) => {
        const [batch, channels] = x.shape;
        const slicesMean = reduceMean(x, [3, 4]);
        return reshape(matMul(slicesMean, softmax(weight(x.graph), 0)), [batch, channels, 1, 1, 1]);
      };
    }
  }
}

/** What the encoder leaves of `scan_size`. */
function encodedSize({ scan, kernels, strides, pads, widths, reduced, aggregation }: Plan): readonly number[] {
  if (scan?.length !== 3)
    throw new NetworkError('wrong-argument', `ImageEncoder: ${aggregation} wants scan_size, [z, y, x]`, {
      where: 'scan_size',
    });
  const steps = widths.flatMap((_, i) => [
    { kernel: kernels[i], stride: strides[i] },
    { kernel: kernels[i], stride: [1, 1, 1] },
  ]);
  if (reduced !== undefined) steps.push({ kernel: FLAT_KERNEL, stride: FLAT_STRIDE });
  return steps.reduce<readonly number[]>((size, { kernel, stride }) => {
    const padding = pads ? paddingOf(kernel, [1, 1, 1]) : [0, 0, 0];
    return size.map((n, i) => Math.floor((n + 2 * padding[i] - kernel[i]) / stride[i]) + 1);
  }, scan);
}
