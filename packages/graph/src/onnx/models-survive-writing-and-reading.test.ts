/** A written model runs, reads back as the same graph with the same weights, and passes ONNX's own checker where Python has it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { randomArray, randomFrom } from '../evaluate/random.suite.js';
import { Graph } from '../graph/graph.js';
import { relu, softmax } from '../layers/activations.js';
import { conv, convTranspose } from '../layers/convolution.js';
import { concat } from '../layers/layout.js';
import { batchNorm, instanceNorm } from '../layers/normalization.js';
import { maxPool } from '../layers/pooling.js';
import { upsample } from '../layers/resize.js';
import { halfFromNumber, numberFromHalf } from '../tensor/float16.js';
import { type Tensor, tensorOf } from '../tensor/tensor.js';
import { readModel } from './read-model.js';
import { modelChunks, writeModel } from './write-model.js';

function network(): { graph: Graph; weights: Map<string, Tensor> } {
  const graph = new Graph({ name: 'small' });
  const x = graph.input('image', 'float32', [1, 1, 8, 8]);
  const first = relu(
    instanceNorm(
      conv(x, graph.parameter('down.weight', [4, 1, 3, 3]), { bias: graph.parameter('down.bias', [4]), padding: 1 }),
    ),
  );
  const normed = batchNorm(maxPool(first, 2), {
    weight: graph.parameter('norm.weight', [4]),
    bias: graph.parameter('norm.bias', [4]),
    runningMean: graph.parameter('norm.running_mean', [4], { trainable: false }),
    runningVariance: graph.parameter('norm.running_var', [4], {
      trainable: false,
      initial: { kind: 'constant', value: 1 },
    }),
  });
  const up = convTranspose(normed, graph.parameter('up.weight', [4, 2, 2, 2]), { stride: 2 });
  const joined = concat([up, upsample(normed, 2, { mode: 'linear' })]);
  graph.output('probabilities', softmax(conv(joined, graph.parameter('head.weight', [3, 6, 1, 1]))));
  const random = randomFrom(5);
  const weights = new Map(
    graph.parameters.map(({ name, shape }) => [
      name,
      tensorOf(
        'float32',
        shape,
        randomArray(shape, random).data.map((v) => Math.abs(v) + 0.1),
      ),
    ]),
  );
  return { graph, weights };
}

const image = new OnnxTensor(
  'float32',
  Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
  [1, 1, 8, 8],
);

async function run(bytes: Uint8Array): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const { probabilities } = await session.run({ image });
  await session.release();
  return probabilities.data as Float32Array;
}

describe('models', () => {
  it('read back give the same numbers, weights and names', async () => {
    const { graph, weights } = network();
    const bytes = writeModel(graph, { weights, metadata: { origin: 'test' } });
    const read = readModel(bytes);
    expect(read.metadata).toEqual({ origin: 'test' });
    expect([...read.weights.keys()].sort()).toEqual([...weights.keys()].sort());
    for (const [name, { data }] of read.weights) expect(data, name).toEqual(weights.get(name)?.data);
    expect(read.graph.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name)).toEqual([
      'norm.running_mean',
      'norm.running_var',
    ]);
    expect(await run(writeModel(read.graph, { weights: read.weights }))).toEqual(await run(bytes));
  });

  it('read from a buffer in which nothing is aligned', () => {
    const { graph, weights } = network();
    const bytes = writeModel(graph, { weights });
    for (const shift of [1, 2, 3]) {
      const moved = Buffer.alloc(bytes.length + shift).subarray(shift);
      moved.set(bytes);
      for (const [name, { data }] of readModel(moved).weights) expect(data, name).toEqual(weights.get(name)?.data);
    }
  });

  it('share the bytes of their weights until they are joined', () => {
    const { graph, weights } = network();
    const buffers = modelChunks(graph, { weights }).map(({ buffer }) => buffer);
    for (const { data } of weights.values()) expect(buffers).toContain(data.buffer);
  });

  it('without weights take them as inputs', async () => {
    const { graph } = network();
    const session = await InferenceSession.create(writeModel(graph));
    expect(session.inputNames).toEqual(['image', ...graph.parameters.map(({ name }) => name)]);
    await session.release();
  });

  it('refuse weights of another shape, by name', () => {
    const { graph, weights } = network();
    weights.set('up.weight', tensorOf('float32', [2], [1, 2]));
    expect(() => writeModel(graph, { weights })).toThrow(/"up.weight" is float32 2; the network wants float32 4×2×2×2/);
  });

  it('have half precision as ONNX Runtime rounds it', async () => {
    const numbers = [0, 1, -2.5, 1e-7, 6e-8, 65504, 65520, 3.14, 2049, 2051, Infinity, -1e-5, 0.1];
    const graph = new Graph();
    const x = graph.input('x', 'float32', [numbers.length]);
    graph.output('half', x.graph.node('Cast', [x], { to: 10 }));
    const session = await InferenceSession.create(writeModel(graph));
    const { half } = await session.run({ x: new OnnxTensor('float32', Float32Array.from(numbers), [numbers.length]) });
    const bits = new Uint16Array(
      (half.data as Uint16Array).buffer,
      (half.data as Uint16Array).byteOffset,
      numbers.length,
    );
    expect(numbers.map(halfFromNumber)).toEqual([...bits]);
    expect(numberFromHalf(halfFromNumber(0.1))).toBeCloseTo(0.1, 4);
    await session.release();
  });
});

describeWithPython(['onnx'], 'the ONNX checker', (python) => {
  it('accepts the network, with full shape inference', () => {
    const { graph, weights } = network();
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-graph-'));
    try {
      const path = join(folder, 'model.onnx');
      writeFileSync(path, writeModel(graph, { weights }));
      const script = 'import onnx,sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)';
      const { status, stderr } = spawnSync(python, ['-c', script, path], { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
