/**
 * Networks in ONNX Runtime, on the processor. The model is loaded by path (weights above 2 GB lie beside it and are
 * mapped, not read). The memory arena is off: measured 140 MB against 672 MB peak at the same speed
 * (specs/libraries.md 5). A run blocks its thread and cannot be stopped, so this lives in a child (child.ts).
 */
import { availableParallelism } from 'node:os';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { importOnnx } from './import-onnx.js';
import type { NetworkRuntime, NetworkTensor, PortShape } from './network-runtime.js';
import { RuntimeFailure } from './runtime-failure.js';

export interface OnnxOptions {
  /** Default: all processors. Results are bit-equal for the same number. */
  readonly threads?: number;
}

/** Throws RuntimeFailure `cannot-load`. */
export async function loadOnnx(path: string, options: OnnxOptions = {}): Promise<NetworkRuntime> {
  const ort = await importOnnx();
  const threads = options.threads ?? availableParallelism();
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      enableCpuMemArena: false,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw new RuntimeFailure('cannot-load', `ONNX Runtime cannot load the model: ${firstLine(cause)}`, {
      where: path,
      cause,
      next: 'Check that the file is a whole ONNX model with operators that ONNX Runtime knows',
    });
  }
  const inputs = session.inputMetadata.map(portOf);
  const outputs = session.outputMetadata.map(portOf);
  let open = true;
  return {
    inputs,
    outputs,
    threads,
    async run(given) {
      if (!open) throw new RuntimeFailure('closed', 'The model was closed', { where: path });
      checkInputs(inputs, given, path);
      const feeds: Record<string, Tensor> = {};
      for (const [name, { data, dims }] of Object.entries(given))
        feeds[name] = new ort.Tensor('float32', data, [...dims]);
      let answer: InferenceSession.OnnxValueMapType;
      try {
        answer = await session.run(feeds);
      } catch (cause) {
        throw new RuntimeFailure('run-failed', `The network failed: ${firstLine(cause)}`, {
          where: path,
          cause,
          next: 'Check the window size against what the network can take (often multiples of 8, 16 or 32)',
        });
      }
      const result: Record<string, NetworkTensor> = {};
      for (const [name, tensor] of Object.entries(answer)) {
        const { data, dims } = tensor as Tensor;
        if (data instanceof Float32Array) result[name] = { data, dims };
        else if (outputs.length === 1)
          throw new RuntimeFailure('unsupported-type', `Output "${name}" is not float32`, { where: path });
      }
      return result;
    },
    async close() {
      if (open) await session.release();
      open = false;
    },
  };
}

/** ONNX Runtime ignores inputs it does not know, and lets a wrong rank fail deep inside. */
function checkInputs(ports: readonly PortShape[], given: Readonly<Record<string, NetworkTensor>>, path: string): void {
  for (const name of Object.keys(given))
    if (!ports.some((port) => port.name === name))
      throw new RuntimeFailure('unknown-input', `The model has no input "${name}"`, {
        where: path,
        next: `Its inputs are: ${ports.map((port) => port.name).join(', ')}`,
      });
  for (const port of ports) {
    const tensor = given[port.name];
    if (!tensor)
      throw new RuntimeFailure('missing-input', `The model also needs the input "${port.name}"`, { where: path });
    if (port.type !== 'float32')
      throw new RuntimeFailure('unsupported-type', `Input "${port.name}" is ${port.type}; only float32 is given`, {
        where: path,
        next: 'Export the model with float32 inputs',
      });
    const fits =
      port.dims.length === tensor.dims.length &&
      port.dims.every((n, axis) => typeof n === 'string' || n < 0 || n === tensor.dims[axis]);
    if (!fits)
      throw new RuntimeFailure(
        'shape-mismatch',
        `Input "${port.name}" is [${port.dims.join(', ')}], but [${tensor.dims.join(', ')}] would be given`,
        {
          where: path,
          next: 'Make the transforms and the window of the inferer agree with the model (channels, number of axes, sizes)',
        },
      );
  }
}

function portOf(meta: InferenceSession.ValueMetadata): PortShape {
  return meta.isTensor
    ? { name: meta.name, dims: meta.shape, type: meta.type }
    : { name: meta.name, dims: [], type: 'no tensor' };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0].slice(0, 300);
}
