/** Runs a graph in ONNX Runtime, on one thread, as tests need it. */
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import type { Graph } from '../graph/graph.js';
import { writeModel } from '../onnx/write-model.js';
import { tensorOf } from '../tensor/tensor.js';
import type { Arr } from './array.suite.js';

/** All outputs of the graph by name. Parameters are given like inputs. */
export async function runOnnx(graph: Graph, given: ReadonlyMap<string, Arr>): Promise<Record<string, Arr>> {
  const session = await InferenceSession.create(writeModel(graph), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const feeds: Record<string, OnnxTensor> = {};
    for (const value of [...graph.inputs, ...graph.parameters]) {
      if (!session.inputNames.includes(value.name)) continue;
      const { shape, data } = given.get(value.name) as Arr;
      const { data: typed } = tensorOf(value.dtype, shape, data);
      feeds[value.name] = new OnnxTensor(value.dtype as 'float32', typed as Float32Array, shape);
    }
    const answers = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(answers).map(([name, { dims, data }]) => [
        name,
        { shape: [...dims], data: Float64Array.from(data as Float32Array, Number) },
      ]),
    );
  } finally {
    await session.release();
  }
}
