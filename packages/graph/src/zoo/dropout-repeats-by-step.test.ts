/** Networks with dropout: another mask in each step and for each seed, the same one when a step is repeated, none in use. */
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { writeModel } from '../onnx/write-model.js';
import { goldenWeights, sineInput } from './golden.suite.js';
import { buildNetwork } from './network.js';
import { networkOf } from './registry.js';

const cases = [
  ['UNet', { spatial_dims: 2, in_channels: 1, out_channels: 1, channels: [4, 4], strides: [2], dropout: 0.4 }, 16],
  ['SegResNet', { spatial_dims: 2, dropout_prob: 0.4, blocks_down: [1, 1], blocks_up: [1] }, 16],
  ['EfficientNetBN', { model_name: 'efficientnet-b0', in_channels: 1, num_classes: 8 }, 64],
] as const;

describe('dropout in training', () => {
  for (const [name, args, side] of cases)
    it(name, { timeout: 60_000 }, async () => {
      const network = networkOf(name, args);
      const image = sineInput([2, 1, side, side]);
      const weights = goldenWeights(network);
      const outputOf = async (seed: number, steps: readonly bigint[]): Promise<Float32Array[]> => {
        const { graph } = buildNetwork(network, [image.shape], { mode: 'train', seed });
        const session = await InferenceSession.create(writeModel(graph, { weights }), { logSeverityLevel: 3 });
        const outputs: Float32Array[] = [];
        for (const step of steps) {
          const feeds = {
            image: new OnnxTensor('float32', image.data as Float32Array, image.shape),
            step: new OnnxTensor('int64', BigInt64Array.of(step), []),
          };
          outputs.push((await session.run(feeds)).output.data as Float32Array);
        }
        await session.release();
        return outputs;
      };
      const [first, again, second] = await outputOf(1, [3n, 3n, 4n]);
      const [other] = await outputOf(2, [3n]);
      expect(again).toEqual(first);
      expect(second).not.toEqual(first);
      expect(other).not.toEqual(first);
      expect(buildNetwork(network, [image.shape]).graph.inputs.map((value) => value.name)).toEqual(['image']);
    });
});
