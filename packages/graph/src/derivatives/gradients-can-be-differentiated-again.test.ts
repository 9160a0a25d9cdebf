/** Gradients are made of ordinary nodes: second derivatives of layers and closed forms against differences of the first. */
import { describe, it } from 'vitest';
import { check } from '../evaluate/check.suite.js';
import { randomFrom } from '../evaluate/random.suite.js';
import type { Value } from '../graph/value.js';
import { gelu, softmax, swish, tanh } from '../layers/activations.js';
import { square } from '../layers/arithmetic.js';
import { conv, convTranspose } from '../layers/convolution.js';
import { batchNorm, instanceNorm } from '../layers/normalization.js';
import { averagePool } from '../layers/pooling.js';
import { reduceSum } from '../layers/reductions.js';
import { upsample } from '../layers/resize.js';
import { gradients } from './gradients.js';

const image = [1, 2, 4, 4];
const networks: Record<string, (x: Value, weight: Value) => Value> = {
  'convolution and tanh': (x, w) => tanh(conv(x, w, { padding: 1 })),
  'strided convolution, swish, pooling': (x, w) => averagePool(swish(conv(x, w, { padding: 1, stride: 2 })), 2),
  'transposed convolution and softmax': (x, w) => softmax(convTranspose(x, w, { stride: 2, padding: 1 })),
  'batch norm, gelu and resizing': (x, w) => upsample(gelu(norm(conv(x, w, { padding: 1 }))), 2, { mode: 'linear' }),
  'instance norm': (x, w) => tanh(instanceNorm(conv(x, w, { padding: 1 }))),
};

const norm = (x: Value): Value =>
  batchNorm(x, {
    runningMean: x.graph.parameter('mean', [2], { trainable: false }),
    runningVariance: x.graph.parameter('variance', [2], { trainable: false }),
  });

describe('second derivatives', () => {
  for (const [name, network] of Object.entries(networks))
    it(name, async () => {
      const build = ({ x, weight }: Readonly<Record<string, Value>>): Value => {
        const [slope] = gradients(x.graph, reduceSum(square(network(x, weight))), [x]);
        return slope as Value;
      };
      await check({ inputs: { x: image, weight: [2, 2, 3, 3] }, build }, randomFrom(name.length));
    });
});
