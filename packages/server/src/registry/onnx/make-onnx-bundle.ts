/**
 * A raw ONNX file and its form become the folder of a MONAI bundle: the graph gives what it tells, the form the rest, and
 * a run over zeros proves that both agree. What is written is an ordinary bundle; nothing remembers that it was a form.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from '../model-cache.js';
import type { OnnxForm } from '../onnx-form.js';
import { RegistryError } from '../registry-error.js';
import { checkOnnx } from './check-onnx.js';
import { featureConfiguration, planFeatures } from './feature-bundle.js';
import { imageConfiguration, planImages } from './image-bundle.js';
import { metadataOf } from './metadata-of-form.js';
import { type OnnxPort, type OnnxSummary, readOnnx } from './read-onnx.js';
import { takeOffZipMaps } from './zip-map.js';

export interface OnnxBundleOptions {
  /** Limits of the child that runs the network over zeros. */
  readonly checkMemoryBytes?: number;
  readonly checkTimeMs?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_CHECK_BYTES = 8 * 1024 ** 3;
const DEFAULT_CHECK_MS = 120_000;

/** `folder` is made. Throws RegistryError `not-a-model`, `unsupported-model`, `wrong-form`. */
export async function makeOnnxBundle(
  path: string,
  form: OnnxForm,
  folder: string,
  options: OnnxBundleOptions,
): Promise<void> {
  const summary = await readOnnx(path);
  refuseExternalFiles(summary);
  const input = onlyInput(summary);
  const features = (input.dims?.length ?? 0) === 2;
  const plan = features ? planFeatures(summary, input, form) : planImages(summary, input, form);
  for (const part of ['configs', 'models']) await mkdir(join(folder, part), { recursive: true, mode: 0o700 });
  const weights = join(folder, 'models/model.onnx');
  if (summary.zipMaps.length > 0) await takeOffZipMaps(path, summary, weights);
  else await copyFile(path, weights);
  const checked = await checkOnnx(weights, plan.trial, {
    memoryBytes: options.checkMemoryBytes ?? DEFAULT_CHECK_BYTES,
    timeMs: options.checkTimeMs ?? DEFAULT_CHECK_MS,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const outputs = plan.outputsOf(checked);
  const inference = 'features' in plan ? featureConfiguration() : imageConfiguration(plan, outputs);
  const metadata = metadataOf(form, plan, outputs, await sha256OfFile(weights));
  await writeFile(join(folder, 'configs/metadata.json'), `${JSON.stringify(metadata, null, 2)}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'configs/inference.json'), `${JSON.stringify(inference, null, 2)}\n`, { mode: 0o600 });
}

function refuseExternalFiles({ externalFiles }: OnnxSummary): void {
  if (externalFiles.length === 0) return;
  const outside = externalFiles.some((place) => !/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(place));
  throw new RegistryError(
    outside ? 'not-a-model' : 'unsupported-model',
    outside
      ? 'The model names weights outside its own folder'
      : 'The weights of the model lie in another file, which is not here',
    {
      where: 'external data',
      next: outside
        ? 'Do not trust this file; if it is yours, export it again with its weights inside'
        : 'Export it with its weights inside, or add a bundle folder with both files under models/',
    },
  );
}

/** The engine gives a network one float32 tensor. */
function onlyInput({ inputs }: OnnxSummary): OnnxPort {
  const [input] = inputs;
  if (inputs.length !== 1)
    throw new RegistryError('unsupported-model', `The network has ${inputs.length} inputs; models here have one`, {
      where: inputs
        .map(({ name }) => name.slice(0, 64))
        .slice(0, 5)
        .join(', '),
      next: 'Export it with one input: images as channels of one tensor, features as one matrix',
    });
  if (input.kind !== 'tensor' || input.elementType !== 'float32' || input.dims === undefined)
    throw new RegistryError(
      'unsupported-model',
      `The input is ${input.elementType || 'no tensor'}, with ${input.dims ? '' : 'no '}shape`,
      {
        where: input.name.slice(0, 64),
        next: 'Export it with a float32 input whose number of axes is known',
      },
    );
  return input;
}
