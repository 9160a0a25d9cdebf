/** The child of check-onnx.ts: loads one ONNX file, runs it over zeros of the given shape, says what came out. */
import { loadOnnx } from '@isocenter/engine';
import type { CheckedOnnx, CheckMessage } from './check-onnx.js';

const [path, shape] = process.argv.slice(2);

async function check(): Promise<CheckedOnnx> {
  const dims = JSON.parse(shape) as number[];
  const runtime = await loadOnnx(path, { threads: 1 });
  const data = new Float32Array(dims.reduce((product, n) => product * n, 1));
  const answers = await runtime.run({ [runtime.inputs[0].name]: { data, dims } });
  const shown = runtime.outputs.filter(({ name }) => answers[name] !== undefined);
  return {
    inputs: runtime.inputs,
    outputs: runtime.outputs,
    answers: shown.map(({ name }) => ({ name, dims: [...answers[name].dims] })),
  };
}

const message: CheckMessage = await check().then(
  (checked) => ({ kind: 'checked', checked }),
  (error: unknown) => ({ kind: 'refused', why: error instanceof Error ? error.message : String(error) }),
);
process.send?.(message, () => process.exit(0));
// A parent that is gone wants no answer.
process.on('disconnect', () => process.exit(1));
