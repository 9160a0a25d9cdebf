/** The same functions build the training step and the network in use; parameters have PyTorch's keys; what was trained is what serves. */
import { describe, expect, it } from 'vitest';
import { evaluate } from '../evaluate/evaluate.suite.js';
import { randomArray, randomFrom } from '../evaluate/random.suite.js';
import { runOnnx } from '../evaluate/run-onnx.suite.js';
import { Graph, type Mode } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { relu } from '../layers/activations.js';
import { dropout, randomWords } from '../layers/dropout.js';
import { reshape } from '../layers/layout.js';
import { globalAveragePool } from '../layers/pooling.js';
import { meanSquaredError } from '../losses/regression.js';
import { dropoutKey } from '../steps/step-inputs.js';
import { trainingStep } from '../steps/training-step.js';
import { numbersOf } from '../tensor/tensor.js';
import { convModule, convTransposeModule, linearModule } from './convolution-module.js';
import { initialWeights } from './initial-weights.js';
import { batchNormModule, groupNormModule, instanceNormModule, layerNormModule, preluModule } from './norm-module.js';

function network(mode: Mode, chance = 0.4): { graph: Graph; output: Value } {
  const graph = new Graph({ mode });
  let y: Value = graph.input('x', 'float32', [2, 1, 6, 6]);
  y = convModule(y, 'stem', { channels: 4, kernel: 3, stride: 2 });
  y = relu(batchNormModule(y, 'norm'));
  if (mode === 'train') y = dropout(y, chance, { key: dropoutKey(graph, 1), layer: 0 });
  y = convTransposeModule(y, 'up', { channels: 4, kernel: 2, stride: 2, bias: false });
  y = preluModule(groupNormModule(instanceNormModule(y, 'plain'), 'group', 2), 'act');
  y = layerNormModule(reshape(globalAveragePool(y), [2, 4]), 'last');
  return { graph, output: linearModule(y, 'head', { channels: 3 }) };
}

describe('modules', () => {
  it('declare the keys, shapes and order of PyTorch, alike in both modes', () => {
    const keys = (mode: Mode) => network(mode).graph.parameters.map(({ name, shape }) => `${name} ${shape}`);
    expect(keys('infer')).toEqual([
      'stem.weight 4,1,3,3',
      'stem.bias 4',
      'norm.weight 4',
      'norm.bias 4',
      'norm.running_mean 4',
      'norm.running_var 4',
      'norm.num_batches_tracked ',
      'up.weight 4,4,2,2',
      'group.weight 4',
      'group.bias 4',
      'act.weight 1',
      'last.weight 4',
      'last.bias 4',
      'head.weight 3,4',
      'head.bias 3',
    ]);
    expect(keys('train')).toEqual(keys('infer'));
  });

  it('name nodes after their module', () => {
    const names = network('infer').graph.nodes.map(({ name }) => name);
    expect(names).toContain('stem/conv');
    expect(names).toContain('norm/batchnormalization');
    expect(names).toContain('act/prelu');
  });

  it('carry running statistics through a training step by the rules of PyTorch', async () => {
    // Without dropout: its 64-bit products do not fit the doubles of the twin.
    const { graph, output } = network('train', 0);
    const target = graph.input('target', 'float32', [2, 3]);
    const step = trainingStep(graph, meanSquaredError(output, target), { optimiser: { kind: 'adamW' } });
    expect(step.carried.filter(({ kind }) => kind === 'statistic').map(({ input }) => input)).toEqual([
      'norm.num_batches_tracked',
      'norm.running_mean',
      'norm.running_var',
    ]);
    const given = new Map(
      [...initialWeights(graph, 1)].map(([name, t]) => [
        name,
        { shape: t.shape, data: Float64Array.from(numbersOf(t)) },
      ]),
    );
    for (const { name, shape } of graph.inputs)
      if (!given.has(name))
        given.set(name, { shape, data: randomArray(shape, randomFrom(name.length)).data.map(Math.abs) });
    given.set('step', { shape: [], data: Float64Array.of(5) });
    const ran = await runOnnx(graph, given);
    expect(ran['next/norm.num_batches_tracked'].data[0]).toBe(1);
    const wanted = ['loss', 'next/norm.running_var', 'next/up.weight'];
    const twins = evaluate(
      graph,
      given,
      wanted.map((name) => graph.outputs.get(name) as Value),
    );
    wanted.forEach((name, i) => {
      ran[name].data.forEach((v, k) => {
        expect(v, `${name}[${k}]`).toBeCloseTo(twins[i].data[k], 4);
      });
    });
  });

  it('start alike for the same seed, and within the bounds of PyTorch', () => {
    const { graph } = network('infer');
    const weights = initialWeights(graph, 3);
    expect(initialWeights(graph, 3)).toEqual(weights);
    expect(initialWeights(graph, 4)).not.toEqual(weights);
    const stem = numbersOf(weights.get('stem.weight') as never);
    expect(Math.max(...stem.map(Math.abs))).toBeLessThanOrEqual(1 / 3);
    expect(Math.max(...stem.map(Math.abs))).toBeGreaterThan(0.25);
    expect(numbersOf(weights.get('norm.running_var') as never)).toEqual([1, 1, 1, 1]);
    expect(numbersOf(weights.get('act.weight') as never)).toEqual([0.25]);
  });
});

describe('dropout', () => {
  const masks = async (steps: readonly number[], layer = 0) => {
    const graph = new Graph({ mode: 'train' });
    graph.output('words', randomWords(dropoutKey(graph, 9), layer, [64, 64]));
    return Promise.all(
      steps.map(
        async (step) => (await runOnnx(graph, new Map([['step', { shape: [], data: Float64Array.of(step) }]]))).words,
      ),
    );
  };

  it('keeps the share it should, in every step and layer, without a pattern from one to the next', async () => {
    const words = [...(await masks([0, 1, 2, 1000])), ...(await masks([0, 1], 1))];
    for (const { data } of words) {
      const dropped = [...data].filter((word) => word < 0.3 * 2 ** 32).length / 4096;
      // Five standard deviations of 4096 throws.
      expect(Math.abs(dropped - 0.3)).toBeLessThan(0.036);
      let alike = 0;
      for (let i = 1; i < data.length; i++) alike += Number(data[i] < 2 ** 31 === data[i - 1] < 2 ** 31);
      expect(Math.abs(alike / 4095 - 0.5)).toBeLessThan(0.04);
    }
    for (let i = 0; i < words.length; i++)
      for (let k = 0; k < i; k++) {
        const alike = words[i].data.filter((word, n) => word < 2 ** 31 === words[k].data[n] < 2 ** 31).length;
        expect(Math.abs(alike / 4096 - 0.5)).toBeLessThan(0.04);
      }
  });

  it('is the hash that it says it is', async () => {
    const WORD = 2n ** 32n;
    const mix = (word: bigint) => {
      let x = word;
      for (const [shift, factor] of [
        [16n, 0x7feb352dn],
        [15n, 0x68e31da5n],
      ])
        x = ((x ^ (x >> shift)) * factor) % WORD;
      return x ^ (x >> 16n);
    };
    const key = (1000n * 0x9e3779b1n + 9n) % WORD;
    const start = mix((mix(key) + 1n) % WORD);
    const expected = Array.from({ length: 4096 }, (_, i) => Number(mix((BigInt(i) + start) % WORD)));
    const [words] = await masks([1000]);
    expect([...words.data]).toEqual(expected);
  });
});
