/** The fill rule of monai.md D.13 and one run in ONNX Runtime, for tests of whole networks. */
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { writeModel } from '../onnx/write-model.js';
import { type Shape, sizeOf } from '../tensor/shape.js';
import { type Tensor, tensorOf } from '../tensor/tensor.js';
import { buildNetwork, type Network, type State } from './network.js';

const real = ({ dtype, kind }: State): boolean => dtype === 'float32' && (kind === 'parameter' || kind === 'buffer');

/** Weights by the rule: sines whose phase tells the element and the number of the tensor. `left out` tensors are not counted. */
export function goldenWeights(
  { states }: Network,
  leftOut: (name: string) => boolean = () => false,
): Map<string, Tensor> {
  const filled = new Map<string, Tensor>();
  let t = 0;
  for (const state of states) {
    if (!real(state)) continue;
    const { name, shape } = state;
    if (leftOut(name)) {
      filled.set(name, tensorOf('float32', shape, new Float32Array(sizeOf(shape)).fill(1)));
      continue;
    }
    filled.set(name, tensorOf('float32', shape, filling(name, shape, t++)));
  }
  return filled;
}

function filling(name: string, shape: Shape, number: number): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  if (name.endsWith('adn.A.weight')) return data.fill(0.25);
  const wide = shape.length >= 2;
  const scale = wide ? 1.5 / Math.sqrt(sizeOf(shape.slice(1))) : 0.1;
  const shift = !wide && /(running_var|weight)$/.test(name) ? 1 : 0;
  for (let j = 0; j < data.length; j++) data[j] = shift + scale * Math.sin(1 + 0.37 * j + 0.11 * number);
  return data;
}

export const sineInput = (shape: Shape): Tensor =>
  tensorOf(
    'float32',
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.01 * i)),
  );

/** The network in use, weights inside the model. */
export async function run(network: Network, weights: ReadonlyMap<string, Tensor>, ...inputs: readonly Tensor[]) {
  const { graph } = buildNetwork(
    network,
    inputs.map(({ shape }) => shape),
  );
  const session = await InferenceSession.create(writeModel(graph, { weights }), { logSeverityLevel: 3 });
  try {
    const feeds = Object.fromEntries(
      inputs.map(({ shape, data }, i) => [network.inputs[i], new OnnxTensor('float32', data as Float32Array, shape)]),
    );
    const { output } = await session.run(feeds);
    return tensorOf('float32', [...output.dims], output.data as Float32Array);
  } finally {
    await session.release();
  }
}

export interface Statistics {
  readonly mean: number;
  readonly deviation: number;
  readonly first: readonly number[];
  readonly last: number;
}

export function statistics({ data }: Tensor): Statistics {
  const numbers = Array.from(data as Float32Array);
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
  return { mean, deviation, first: numbers.slice(0, 4), last: numbers[numbers.length - 1] };
}
