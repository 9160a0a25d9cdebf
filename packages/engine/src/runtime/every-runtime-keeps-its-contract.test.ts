import { join } from 'node:path';
import { describeWithData } from '../../../../tools/test/needs.js';
import { networkRuntimeSuite } from './network-runtime.suite.js';
import { loadOnnx } from './onnx-runtime.js';
import { npyValues } from './test-bundles.suite.js';

describeWithData('models-meshnet', 'runtimes on a real network', (data) => {
  const npy = (name: string) => {
    const { data: values, shape } = npyValues(join(data, 'check', name));
    return { data: values, shape };
  };
  const question = npy('input_24x20x18.npy');
  const answer = npy('model5_gw_ae_logits.npy');
  const batch = (shape: readonly number[]) =>
    shape.length === 3 ? [1, 1, ...shape] : shape.length === 4 ? [1, ...shape] : [...shape];
  networkRuntimeSuite('onnxruntime-node', {
    open: () => loadOnnx(join(data, 'onnx/model5_gw_ae.onnx'), { threads: 2 }),
    input: 'input',
    output: 'logits',
    question: { data: question.data, dims: batch(question.shape) },
    answer: { data: answer.data, dims: batch(answer.shape) },
    tolerance: 1e-3,
  });
});
