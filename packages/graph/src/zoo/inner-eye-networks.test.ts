/** InnerEye's networks: parameter counts that upstream logged, and gradients as slopes of the loss. */
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../tensor/shape.js';
import { type Tensor, tensorOf } from '../tensor/tensor.js';
import { goldenWeights, run, sineInput } from './golden.suite.js';
import { initialState, seededRandom } from './initial-state.js';
import { type Network, parameterCount } from './network.js';
import { networkOf } from './registry.js';
import { differentiate } from './training.suite.js';

const unet3d = (channels: number, features: number, classes: number) =>
  networkOf('UNet3D', {
    input_image_channels: channels,
    initial_feature_channels: features,
    num_classes: classes,
    kernel_size: 3,
  });

describe('parameters', () => {
  it('UNet3D has 506,031 with one channel, 506,139 with two', () => {
    expect([parameterCount(unet3d(1, 4, 3)), parameterCount(unet3d(2, 4, 3))]).toEqual([506_031, 506_139]);
  });

  it('wider ones have the millions that upstream states', () => {
    const millions = (n: number) => Math.round(n / 10_000) / 100;
    expect(
      [unet3d(1, 16, 3), unet3d(1, 32, 6), unet3d(1, 32, 23), unet3d(1, 26, 23)].map((net) =>
        millions(parameterCount(net)),
      ),
    ).toEqual([8.08, 32.33, 32.33, 21.34]);
  });

  it('names are upstream’s', () => {
    const names = unet3d(1, 4, 3).states.map(({ name }) => name);
    for (const name of [
      '_layers.0.block1.conv1.weight',
      '_layers.4.block2.bn1.running_var',
      '_layers.5.upsample_block.0.bias',
      '_layers.6.conv2.conv1.weight',
      '_layers.6.activation_block.0.weight',
      'output_layer.bias',
    ])
      expect(names).toContain(name);
  });
});

const cases: readonly [title: string, network: () => Network, inputs: readonly (readonly number[])[]][] = [
  [
    'UNet3D',
    () =>
      networkOf('UNet3D', {
        input_image_channels: 1,
        initial_feature_channels: 2,
        num_classes: 3,
        kernel_size: 3,
        num_downsampling_paths: 2,
      }),
    [[2, 1, 8, 8, 8]],
  ],
  [
    'UNet2D',
    () =>
      networkOf('UNet2D', {
        input_image_channels: 2,
        initial_feature_channels: 2,
        num_classes: 2,
        num_downsampling_paths: 2,
      }),
    [[2, 2, 1, 16, 16]],
  ],
  ...(['Average', 'MaxPooling', 'MixPooling', 'GatedPooling', 'ZAdaptive3dAvg'] as const).map(
    (aggregation_type): [string, () => Network, number[][]] => [
      `ImageEncoderWithMlp, ${aggregation_type}`,
      () =>
        networkOf('ImageEncoderWithMlp', {
          num_image_channels: 2,
          encode_channels_jointly: true,
          num_encoder_blocks: 3,
          initial_feature_channels: 4,
          num_non_image_features: 3,
          aggregation_type,
          scan_size: [3, 31, 40],
          mlp_dropout: 0,
        }),
      [
        [2, 2, 3, 31, 40],
        [2, 3],
      ],
    ],
  ),
  ['MLP', () => networkOf('MLP', { input_num_feature_channels: 10, dropout: 0 }), [[4, 10]]],
];

describe('gradients are slopes of the loss', () => {
  for (const [title, network, shapes] of cases)
    it(title, { timeout: 120_000 }, async () => {
      const net = network();
      const weights = initialState(net, seededRandom(7));
      const random = seededRandom(8);
      const inputs = shapes.map((shape) =>
        tensorOf(
          'float32',
          shape,
          Float32Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1),
        ),
      );
      const step = await differentiate(net, inputs, 'train');
      const at = await step.run(weights, inputs);
      for (let trial = 0; trial < 3; trial++) {
        const way = new Map(
          step.learned.map((name) => {
            const { shape } = weights.get(name) as Tensor;
            return [name, Float32Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1)];
          }),
        );
        const slope = [...way].reduce((sum, [name, d]) => {
          const g = at.get(`gradient ${name}`)?.data as Float32Array;
          return sum + d.reduce((dot, x, i) => dot + x * g[i], 0);
        }, 0);
        const lossAt = async (h: number): Promise<number> => {
          const moved = new Map(weights);
          for (const [name, d] of way) {
            const { shape, data } = weights.get(name) as Tensor;
            moved.set(
              name,
              tensorOf(
                'float32',
                shape,
                d.map((x, i) => Number(data[i]) + h * x),
              ),
            );
          }
          return Number((await step.run(moved, inputs)).get('the_loss')?.data[0]);
        };
        const h = 1e-4;
        const difference = ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
        const size = Math.hypot(...[...way.keys()].map((name) => norm(at.get(`gradient ${name}`))));
        // float32 losses and kinks of ReLU within the step: a wrong rule is off by tens of per cent.
        expect(Math.abs(difference - slope) / size, `${difference} and ${slope}`).toBeLessThan(0.03);
      }
      await step.session.release();
    });
});

const norm = (tensor: Tensor | undefined): number =>
  Math.sqrt(Array.from((tensor as Tensor).data as Float32Array).reduce((sum, x) => sum + x * x, 0));

describe('in use', () => {
  it('UNet3D keeps the size and refuses sides that do not halve', async () => {
    const net = unet3d(1, 4, 3);
    const output = await run(net, goldenWeights(net), sineInput([1, 1, 16, 32, 16]));
    expect(output.shape).toEqual([1, 3, 16, 32, 16]);
    await expect(run(net, goldenWeights(net), sineInput([1, 1, 20, 32, 16]))).rejects.toThrow(/multiples of 16×16×16/);
  });
});
