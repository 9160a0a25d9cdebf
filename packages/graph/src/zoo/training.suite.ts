/** Loss, gradients of all parameters and new running statistics of a network, in ONNX Runtime. */
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { gradients } from '../derivatives/gradients.js';
import type { Mode } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { add, mul } from '../layers/arithmetic.js';
import { concat, unsqueeze } from '../layers/layout.js';
import { reduceSum } from '../layers/reductions.js';
import { writeModel } from '../onnx/write-model.js';
import { sizeOf } from '../tensor/shape.js';
import { type Tensor, tensorOf } from '../tensor/tensor.js';
import { buildNetwork, type Network } from './network.js';

export interface Differentiated {
  /** The loss at given weights; gradients and statistics only when asked for. */
  readonly session: InferenceSession;
  readonly run: (weights: ReadonlyMap<string, Tensor>, inputs: readonly Tensor[]) => Promise<Map<string, Tensor>>;
  /** Parameters that the loss depends on. */
  readonly learned: readonly string[];
}

/** Outputs are weighed by sines, all differently, so that no error hides in a sum. */
function weighedLoss(outputs: readonly Value[]): Value {
  const whole = outputs.length === 1 ? outputs[0] : concat(outputs.map((value) => unsqueeze(value, 1)));
  const sines = Float64Array.from({ length: sizeOf(whole.shape) }, (_, i) => Math.sin(1 + 1.7 * i));
  const weights = whole.graph.constant(tensorOf('float32', whole.shape, sines), 'weights');
  return add(reduceSum(mul(whole, weights)), 0);
}

export async function differentiate(network: Network, inputs: readonly Tensor[], mode: Mode): Promise<Differentiated> {
  const { graph, outputs } = buildNetwork(
    network,
    inputs.map(({ shape }) => shape),
    { mode },
  );
  const loss = graph.output('the_loss', weighedLoss(outputs));
  const parameters = graph.parameters.filter(({ trainable }) => trainable);
  const slopes = gradients(graph, loss, parameters);
  const learned = parameters.filter((_, i) => slopes[i]);
  slopes.forEach((slope, i) => {
    if (slope) graph.output(`gradient ${parameters[i].name}`, slope);
  });
  for (const [parameter, value] of graph.updates) graph.output(`update ${parameter.name}`, value);
  const session = await InferenceSession.create(writeModel(graph), { logSeverityLevel: 3 });
  const run = async (weights: ReadonlyMap<string, Tensor>, given: readonly Tensor[]) => {
    const feeds: Record<string, OnnxTensor> = {};
    const feed = (name: string, { shape, data }: Tensor) => {
      if (session.inputNames.includes(name)) feeds[name] = new OnnxTensor('float32', data as Float32Array, shape);
    };
    for (const [name, tensor] of weights) feed(name, tensor);
    given.forEach((tensor, i) => {
      feed(network.inputs[i], tensor);
    });
    const answers = await session.run(feeds);
    return new Map(
      Object.entries(answers).map(([name, { dims, data }]) => [
        name,
        tensorOf('float32', [...dims], data as Float32Array),
      ]),
    );
  };
  return { session, run, learned: learned.map(({ name }) => name) };
}
