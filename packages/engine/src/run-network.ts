/**
 * One run of a network bundle: input → sample → transforms → windows → class-wise post-processing while planes come
 * together → the rest of post-processing → Prediction on the first channel's grid.
 */
import { statSync } from 'node:fs';
import { type Grid, resample, sameGrid, voxelCount, type Watch } from '@isocenter/volume';
import type { Bundle } from './bundle/bundle.js';
import { BundleError } from './bundle/bundle-error.js';
import { type InferencePlan, planOf } from './bundle/inference-plan.js';
import { inverseMaps } from './inferers/axis-maps.js';
import type { Inferer, Predict } from './inferers/inferer.js';
import { makeInferer } from './inferers/make-inferer.js';
import { type CollectorPlan, PlaneCollector } from './inferers/plane-collector.js';
import { channelsLast } from './inferers/windows.js';
import type { ModelInput } from './model-input.js';
import type { Prediction } from './prediction.js';
import { predictionOf } from './prediction-of.js';
import { checkForecast, type ForecastItem, PROCESS_BYTES } from './runtime/forecast.js';
import type { NetworkCache } from './runtime/network-cache.js';
import type { NetworkRuntime } from './runtime/network-runtime.js';
import { loadOnnx } from './runtime/onnx-runtime.js';
import { RuntimeFailure } from './runtime/runtime-failure.js';
import { undoSteps } from './transforms/spatial-step.js';
import { makeTransform } from './transforms/table.js';
import { type ChannelTensor, makeTensor } from './transforms/tensor.js';
import type { Pointwise, Sample, SampleEntry, Transform } from './transforms/transform.js';

export interface RunOptions {
  /** Threads of the network runtime; default: all processors. */
  readonly threads?: number;
  /** Refuse, before it is taken, memory beyond this. */
  readonly memoryLimitBytes?: number;
  /** Called once the input's values have been taken over, so that the compute child need not hold them during the run. */
  readonly onInputTaken?: () => void;
  /** Where networks stay loaded from one run to the next; default: loaded and given back by this run. */
  readonly networks?: NetworkCache;
}

const FLOAT_BYTES = 4;

/** Throws the Failures of every stage; nothing is kept when it throws. */
export async function runNetwork(
  bundle: Bundle,
  input: ModelInput,
  watch: Watch,
  options: RunOptions,
): Promise<Prediction> {
  const plan = planOf(bundle);
  const preprocessing = plan.preprocessing.map((object) => makeTransform(object, plan));
  const postprocessing = plan.postprocessing.map((object) => makeTransform(object, plan));
  const inferer = makeInferer(plan.inferer);
  const grid: Grid = { size: input.channels[0].volume.size, affine: input.channels[0].volume.affine };
  checkForecast(forecastOfInput(bundle, input, plan), options.memoryLimitBytes);

  const sample = sampleOf(bundle, input, plan);
  options.onInputTaken?.();
  for (const [at, transform] of preprocessing.entries()) {
    watch.signal?.throwIfAborted();
    watch.progress?.(at, preprocessing.length, 'transforms');
    transform.apply(sample, watch);
  }
  const image = sample.get(plan.imageKey);
  if (!image)
    throw new BundleError(
      'invalid-configuration',
      `Pre-processing leaves no entry "${plan.imageKey}" for the network`,
      { where: `model ${bundle.name}:${bundle.version}` },
    );
  for (const [key, entry] of sample) if (entry !== image) sample.set(key, withoutData(entry));
  collectGarbage();

  const load = options.networks ? options.networks.load.bind(options.networks) : loadOnnx;
  const runtime = await load(plan.model, options.threads === undefined ? {} : { threads: options.threads });
  try {
    const { stages, used } = streamedPart(postprocessing, sample, image, plan.predictionKey, grid);
    const rest = postprocessing.slice(used).some((transform) => transform.inverts);
    checkForecast(
      forecastOfRun(bundle, runtime, inferer, image.tensor, plan, stages, rest ? grid : undefined),
      options.memoryLimitBytes,
    );
    const collector = new PlaneCollector(stages);
    await inferer.run(predictWith(runtime, plan), image.tensor, collector, watch);
    const tensor = collector.finish();
    sample.set(plan.imageKey, withoutData(image));
    sample.set(plan.predictionKey, { tensor, steps: stages.maps ? [] : image.steps });
    for (const transform of postprocessing.slice(used)) transform.apply(sample, watch);
  } finally {
    await runtime.close();
  }
  const { tensor, steps } = sample.get(plan.predictionKey) as SampleEntry;
  // What nobody inverted is brought back by nearest neighbour, as MONAI does when it saves a result.
  return predictionOf(bundle, tensor.rank === 0 ? tensor : undoSteps(tensor, steps, true), grid);
}

/** The longest beginning of post-processing that can run plane by plane. */
function streamedPart(
  transforms: readonly Transform[],
  sample: Sample,
  image: SampleEntry,
  key: string,
  target: Grid,
): { stages: CollectorPlan; used: number } {
  const before: Pointwise[] = [];
  const after: Pointwise[] = [];
  let maps: CollectorPlan['maps'];
  let used = 0;
  for (const transform of transforms) {
    const onPrediction = transform.keys.length === 1 && transform.keys[0] === key;
    if (transform.inverts && onPrediction) {
      const steps =
        (transform.inverts.originalKey === key ? image : sample.get(transform.inverts.originalKey))?.steps ??
        image.steps;
      const found = maps ? undefined : inverseMaps(image.tensor, steps, transform.inverts.nearest);
      if (!found) break;
      maps = found;
    } else if (transform.pointwise && onPrediction) (maps ? after : before).push(transform.pointwise);
    else if (!transform.neutral) break;
    used++;
  }
  const network: Grid = { size: image.tensor.size, affine: image.tensor.affine };
  return {
    stages: { before, maps, after, network, target: maps ? target : network, rank: maps ? 3 : image.tensor.rank },
    used,
  };
}

/** Channels of one key are stacked in the bundle's order, on the grid of the first channel of all. */
function sampleOf(bundle: Bundle, input: ModelInput, plan: InferencePlan): Sample {
  const reference = input.channels[0].volume;
  const count = voxelCount(reference.size);
  const byKey = new Map<string, string[]>();
  for (const { name, key = plan.imageKey } of bundle.isocenter.channels)
    byKey.set(key, [...(byKey.get(key) ?? []), name]);
  const sample: Sample = new Map();
  for (const [key, names] of byKey) {
    const data = new Float32Array(names.length * count);
    for (const [at, name] of names.entries()) {
      const volume = input.channels.find((channel) => channel.name === name)?.volume;
      if (!volume) continue;
      data.set((sameGrid(volume, reference) ? volume : resample(volume, reference)).data, at * count);
    }
    sample.set(key, { tensor: makeTensor(data, names.length, reference), steps: [] });
  }
  return sample;
}

function predictWith(runtime: NetworkRuntime, plan: InferencePlan): Predict {
  const [port] = runtime.inputs;
  return async (window, channels, spatial) => {
    const tensor = plan.channelsLast
      ? { data: channelsLast(window, channels), dims: [1, ...spatial, channels] }
      : { data: window, dims: [1, channels, ...spatial] };
    const answers = await runtime.run({ [port.name]: tensor });
    const answer = answers[runtime.outputs[0].name];
    const [batch, outChannels = 0, ...rest] = answer.dims;
    if (batch !== 1 || (plan.channelsLast && rest.length > 0))
      throw new RuntimeFailure('shape-mismatch', `The output [${answer.dims.join(', ')}] is not [1, channels, …]`, {
        where: plan.model,
      });
    return { data: answer.data, channels: outChannels, spatial: rest };
  };
}

function withoutData(entry: SampleEntry): SampleEntry {
  return { ...entry, tensor: { ...entry.tensor, data: new Float32Array(0) } };
}

function forecastOfInput(bundle: Bundle, input: ModelInput, plan: InferencePlan): ForecastItem[] {
  const voxels = voxelCount(input.channels[0].volume.size);
  const floats = bundle.isocenter.channels.length * voxels * FLOAT_BYTES;
  const items: ForecastItem[] = [
    { what: 'process', bytes: PROCESS_BYTES },
    { what: 'input', bytes: input.channels.reduce((sum, { volume }) => sum + volume.data.byteLength, 0) },
    { what: 'image as float32', bytes: floats },
    { what: 'model', bytes: statSync(plan.model).size },
  ];
  const stated = bundle.isocenter.memoryBytes;
  const known = items.reduce((sum, { bytes }) => sum + bytes, 0);
  return stated !== undefined && stated > known
    ? [...items, { what: 'network, as the bundle states', bytes: stated - known }]
    : items;
}

/**
 * With the network's grid known: windows, the slab of unfinished planes, the result. `invertTo`: the result is carried
 * back as a whole later on, so it is there twice for a while.
 */
function forecastOfRun(
  bundle: Bundle,
  runtime: NetworkRuntime,
  inferer: Inferer,
  tensor: ChannelTensor,
  plan: InferencePlan,
  { before, after, target }: CollectorPlan,
  invertTo: Grid | undefined,
): ForecastItem[] {
  const classAxis = runtime.outputs[0]?.dims[1];
  const classes =
    typeof classAxis === 'number' && classAxis > 0 ? classAxis : Math.max(1, bundle.isocenter.structures.length + 1);
  const stages = [...before, ...after];
  const left = stages.reduce((n, stage) => stage.channelsOut(n), classes);
  const bytesEach = stages.at(-1)?.largest(classes) === undefined ? FLOAT_BYTES : 1;
  const window = voxelCount(inferer.largestWindow(tensor));
  const { planes, slow } = inferer.heldPlanes(tensor);
  const plane = voxelCount(tensor.size) / tensor.size[slow];
  const items = [
    { what: 'process', bytes: PROCESS_BYTES },
    { what: 'image', bytes: tensor.data.byteLength },
    { what: 'model', bytes: statSync(plan.model).size },
    { what: `window of ${classes} classes`, bytes: window * (tensor.channels + classes) * FLOAT_BYTES },
    { what: `slab of ${planes} planes`, bytes: plane * (planes + 1) * (classes + 1) * FLOAT_BYTES },
    { what: `result of ${left} channels`, bytes: voxelCount(target.size) * left * bytesEach },
  ];
  return invertTo
    ? [...items, { what: 'result on the grid of the image', bytes: voxelCount(invertTo.size) * left * FLOAT_BYTES }]
    : items;
}

/** Node lets garbage of typed arrays pile up; in the compute child it may be told to look. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
