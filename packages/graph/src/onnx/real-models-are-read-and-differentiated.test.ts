/** Models that other programs exported (Keras, PyTorch): read, written again with the same numbers, differentiated as a whole. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { gradients } from '../derivatives/gradients.js';
import { reduceMean } from '../layers/reductions.js';
import { sizeOf } from '../tensor/shape.js';
import { readModel } from './read-model.js';
import { writeModel } from './write-model.js';

async function run(bytes: Uint8Array, name: string, shape: readonly number[]): Promise<OnnxTensor> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.01 * i));
  const answers = await session.run({ [name]: new OnnxTensor('float32', data, shape) });
  await session.release();
  return answers[session.outputNames[0]];
}

async function roundTrip(path: string, dimensions: Readonly<Record<string, number>>): Promise<void> {
  const bytes = readFileSync(path);
  const { graph, weights } = readModel(bytes, { dimensions, mode: 'train' });
  const [input] = graph.inputs;
  const [expected, found] = [
    await run(bytes, input.name, input.shape),
    await run(writeModel(graph, { weights }), input.name, input.shape),
  ];
  expect(found.data).toEqual(expected.data);
  const [output] = graph.outputs.values();
  const learned = graph.parameters.filter(({ trainable }) => trainable);
  const slopes = gradients(graph, reduceMean(output), learned);
  slopes.forEach((slope, i) => {
    expect(slope?.shape, learned[i].name).toEqual(learned[i].shape);
  });
  expect(slopes.length).toBeGreaterThan(10);
}

describeWithData('model-onnx-brain-tumour-2d', 'a Keras classifier', (folder) => {
  it('is the same when written again, and has all its gradients', async () => {
    await roundTrip(join(folder, 'model.onnx'), { unk__53: 1 });
  });
});

describeWithData('models-meshnet', 'a dilated 3-D network of PyTorch', (folder) => {
  it('is the same when written again, and has all its gradients', async () => {
    await roundTrip(join(folder, 'onnx/model5_gw_ae.onnx'), { d0: 1, d1: 1, d2: 8, d3: 10, d4: 12 });
  });
});
