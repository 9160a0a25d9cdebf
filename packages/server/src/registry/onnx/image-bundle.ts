/** Networks that look at images: what the graph and the form agree on, and MONAI's transforms, inferer and post-processing for it. */
import type { OnnxForm } from '../onnx-form.js';
import { RegistryError } from '../registry-error.js';
import { type ImagePlan, type PlannedOutputs, wrongForm } from './bundle-plan.js';
import type { CheckedOnnx } from './check-onnx.js';
import type { OnnxPort, OnnxSummary } from './read-onnx.js';

/** MONAI's usual window; small enough for every machine, a multiple of what networks halve. */
const USUAL_WINDOW = 96;
/** Any image will do for the trial of a network that takes whole images. */
const TRIAL_SIZE = 64;
const PAIR = /^[LRAPSI]{3}$/;

export function planImages(summary: OnnxSummary, input: OnnxPort, form: OnnxForm): ImagePlan {
  const dims = input.dims ?? [];
  if (dims.length !== 4 && dims.length !== 5)
    throw new RegistryError('unsupported-model', `The input has ${dims.length} axes; images have 4 or 5, features 2`, {
      where: input.name.slice(0, 64),
      next: 'Export it with an input of [1, channels, i, j, k], [1, channels, rows, columns], or [1, features]',
    });
  if (typeof dims[0] === 'number' && dims[0] !== 1)
    throw new RegistryError('unsupported-model', `The network takes ${dims[0]} images at once; one is given`, {
      where: input.name.slice(0, 64),
      next: 'Export it with a batch of 1, or with a free first axis',
    });
  const last = form.layout === 'channels-last';
  if (last && form.kind === 'segmentation')
    throw wrongForm(
      'layout',
      'Masks with the channels last are not read',
      'Export the network with the channels first',
    );
  const rank = (dims.length - 2) as 2 | 3;
  const spatial = last ? dims.slice(1, -1) : dims.slice(2);
  const channelAxis = last ? dims.at(-1) : dims[1];
  const channels = (form.channels ?? [{ name: 'image' }]).map(({ name }) => name);
  if (typeof channelAxis === 'number' && channelAxis !== channels.length)
    throw wrongForm(
      'channels',
      `The network takes ${channelAxis} channels, the form names ${channels.length}`,
      'Name each channel in the order of the network; if the channels are last, say "layout": "channels-last"',
    );
  const fixed = spatial.map((n) => (typeof n === 'number' ? n : undefined));
  const window = windowOf(form, rank, fixed);
  checkResize(form, rank);
  return {
    form: form.kind === 'segmentation' || form.resize || !allFixed(fixed) ? form : { ...form, resize: fixed },
    rank,
    channels,
    fixed,
    window,
    trial: trialOf(form, rank, fixed, window, channels.length),
    outputsOf: (checked) => outputsOf(checked, form, summary, fixed, window),
  };
}

function allFixed(fixed: readonly (number | undefined)[]): fixed is number[] {
  return fixed.every((n) => n !== undefined);
}

function windowOf(form: OnnxForm, rank: 2 | 3, fixed: readonly (number | undefined)[]): ImagePlan['window'] {
  if (form.kind !== 'segmentation') return 'whole';
  const wanted =
    form.window ?? (allFixed(fixed) ? fixed : rank === 3 ? [USUAL_WINDOW, USUAL_WINDOW, USUAL_WINDOW] : 'whole');
  if (wanted === 'whole') {
    if (form.resize || fixed.every((n) => n === undefined)) return 'whole';
    throw wrongForm(
      'window',
      'The network takes one size only, so whole images must be resized to it',
      'Leave `window` out, or give `resize`',
    );
  }
  const fits = wanted.length === rank && wanted.every((n, axis) => fixed[axis] === undefined || fixed[axis] === n);
  if (fits) return wanted;
  throw wrongForm(
    'window',
    `A window of ${wanted.join(' × ')} does not fit a network of ${fixed.map((n) => n ?? 'free').join(' × ')}`,
    'Leave `window` out to take the size of the network',
  );
}

function checkResize({ resize, divisibleBy }: OnnxForm, rank: 2 | 3): void {
  if (resize && resize.length !== rank)
    throw wrongForm(
      'resize',
      `The network has ${rank} spatial axes, resize ${resize.length}`,
      'Give one size for each axis',
    );
  if (resize && divisibleBy)
    throw wrongForm('divisibleBy', 'A resized image needs no padding', 'Give `resize` or `divisibleBy`, not both');
}

function trialOf(
  form: OnnxForm,
  rank: 2 | 3,
  fixed: readonly (number | undefined)[],
  window: ImagePlan['window'],
  channels: number,
): number[] {
  const step = form.divisibleBy ?? 1;
  const any = Math.ceil(TRIAL_SIZE / step) * step;
  const spatial = Array.from({ length: rank }, (_, axis) =>
    window !== 'whole' ? window[axis] : (form.resize?.[axis] ?? fixed[axis] ?? any),
  );
  return form.layout === 'channels-last' ? [1, ...spatial, channels] : [1, channels, ...spatial];
}

function outputsOf(
  { answers, outputs }: CheckedOnnx,
  form: OnnxForm,
  summary: OnnxSummary,
  fixed: readonly (number | undefined)[],
  window: ImagePlan['window'],
): PlannedOutputs {
  const [first] = outputs;
  const answer = answers.find(({ name }) => name === first?.name);
  if (!answer)
    throw new RegistryError('unsupported-model', 'The first output of the network is not a float32 tensor', {
      where: first ? `${first.name.slice(0, 64)}: ${first.type}` : 'outputs',
      next: 'Export it with logits or probabilities as its first output',
    });
  const [, channels = 0, ...spatial] = answer.dims;
  if (form.kind === 'segmentation') {
    const shown = trialOf(form, fixed.length as 2 | 3, fixed, window, 1).slice(2);
    if (spatial.join() !== shown.join())
      throw new RegistryError(
        'unsupported-model',
        `The network was shown ${shown.join(' × ')} voxels and answered [${answer.dims.join(', ')}]`,
        {
          where: answer.name.slice(0, 64),
          next: 'A segmentation network answers [1, channels, …] on the grid it was shown; else say classification or regression',
        },
      );
    return { channels, names: maskNames(form, channels) };
  }
  if (answer.dims.length !== 2 || channels < 1)
    throw wrongForm(
      'kind',
      `The network answers [${answer.dims.join(', ')}], which is not one row of numbers`,
      'Say "segmentation" if it answers masks',
    );
  const labels = summary.classLabels.length === channels ? summary.classLabels : undefined;
  const prefix = form.kind === 'regression' ? 'value' : 'class';
  const names = form.classes ?? labels ?? Array.from({ length: channels }, (_, at) => `${prefix} ${at}`);
  if (names.length !== channels)
    throw wrongForm(
      'classes',
      `The form names ${names.length} classes, the network answers ${channels} numbers`,
      'Name each one',
    );
  return { channels, names };
}

export function activationOf(form: OnnxForm, channels: number): 'softmax' | 'sigmoid' | 'none' {
  if (form.activation) return form.activation;
  if (form.kind === 'regression') return 'none';
  return channels === 1 ? 'sigmoid' : 'softmax';
}

/** Masks of one label map (the largest channel wins), or one mask per channel (each above the threshold)? */
export function isLabelMap(form: OnnxForm, channels: number): boolean {
  return channels > 1 && activationOf(form, channels) !== 'sigmoid';
}

function maskNames(form: OnnxForm, channels: number): string[] {
  const map = isLabelMap(form, channels);
  const room = map ? channels - 1 : channels;
  if (form.structures.length < 1 || form.structures.length > room)
    throw wrongForm(
      'structures',
      `The network answers ${room} structures, the form names ${form.structures.length}`,
      'Name what each output channel segments',
    );
  const names = Array.from({ length: channels }, (_, at) => (map && at === 0 ? 'background' : `channel ${at}`));
  for (const [position, structure] of form.structures.entries()) {
    const channel = channelOf(form, channels, position);
    if (channel >= channels)
      throw wrongForm(
        `structures.${position}`,
        `There is no output channel ${channel}; there are ${channels}`,
        'Channels count from 0',
      );
    names[channel] = structure.name;
  }
  return names;
}

/** Output channel of a structure. In a label map the channel is the label. */
export function channelOf(form: OnnxForm, channels: number, position: number): number {
  const { channel, label } = form.structures[position];
  if (!isLabelMap(form, channels)) return channel ?? position;
  if (channel !== undefined && label !== undefined && channel !== label)
    throw wrongForm(
      `structures.${position}`,
      'Where the largest channel wins, label and channel are the same number',
      'Give one of them',
    );
  return label ?? channel ?? position + 1;
}

export function imageConfiguration(plan: ImagePlan, { channels }: PlannedOutputs): object {
  const { form } = plan;
  return {
    bundle_root: '.',
    image_key: 'image',
    network_def: {
      _target_: 'isocenter.OnnxNetwork',
      ...(form.layout === 'channels-last' ? { channels_last: true } : {}),
    },
    preprocessing: { _target_: 'Compose', transforms: preprocessing(plan) },
    inferer: infererOf(plan),
    postprocessing: { _target_: 'Compose', transforms: postprocessing(form, channels) },
  };
}

const onImage = (target: string, rest: object = {}) => ({ _target_: target, keys: '@image_key', ...rest });
const onAnswer = (target: string, rest: object = {}) => ({ _target_: target, keys: 'pred', ...rest });

function preprocessing({ form, rank }: ImagePlan): object[] {
  const orientation = form.orientation ?? (rank === 3 ? 'RAS' : 'rows-first');
  const flat = rank === 2 && form.kind !== 'segmentation';
  const { intensity } = form;
  return [
    onImage('LoadImaged'),
    onImage('EnsureChannelFirstd'),
    ...(PAIR.test(orientation) ? [onImage('Orientationd', { axcodes: orientation })] : []),
    ...(form.spacing ? [onImage('Spacingd', { pixdim: form.spacing, mode: 'bilinear' })] : []),
    ...(flat ? [onImage('SqueezeDimd', { dim: -1 })] : []),
    ...(orientation === 'rows-first' ? [onImage('Transposed', { indices: flat ? [0, 2, 1] : [0, 2, 1, 3] })] : []),
    ...(intensity.kind === 'none' ? [] : [intensityOf(intensity)]),
    ...(form.resize
      ? [
          onImage('Resized', {
            spatial_size: rank === 2 && !flat ? [...form.resize, -1] : form.resize,
            mode: flat ? 'bilinear' : 'trilinear',
          }),
        ]
      : []),
    ...(form.divisibleBy
      ? [
          onImage('DivisiblePadd', {
            k: rank === 2 && !flat ? [form.divisibleBy, form.divisibleBy, 1] : form.divisibleBy,
          }),
        ]
      : []),
  ];
}

function intensityOf(intensity: Exclude<OnnxForm['intensity'], { kind: 'none' }>): object {
  switch (intensity.kind) {
    case 'window': {
      const { from, to, low, high } = intensity;
      return onImage('ScaleIntensityRanged', { a_min: from, a_max: to, b_min: low, b_max: high, clip: true });
    }
    case 'z-score':
      return onImage('NormalizeIntensityd', { nonzero: intensity.nonzero, channel_wise: true });
    case 'min-max':
      return onImage('ScaleIntensityd', { minv: intensity.low, maxv: intensity.high, channel_wise: true });
    case 'percentiles': {
      const { lower, upper, low, high } = intensity;
      return onImage('ScaleIntensityRangePercentilesd', {
        lower,
        upper,
        b_min: low,
        b_max: high,
        clip: true,
        channel_wise: true,
      });
    }
    case 'fixed':
      return onImage('NormalizeIntensityd', { subtrahend: intensity.mean, divisor: intensity.deviation });
  }
}

function infererOf({ form, rank, window }: ImagePlan): object {
  if (form.kind !== 'segmentation') return { _target_: 'SimpleInferer' };
  const blending = { sw_batch_size: 1, overlap: form.overlap, mode: form.blend };
  if (rank === 2)
    return { _target_: 'SliceInferer', roi_size: window === 'whole' ? [-1, -1] : window, spatial_dim: 2, ...blending };
  return window === 'whole'
    ? { _target_: 'SimpleInferer' }
    : { _target_: 'SlidingWindowInferer', roi_size: window, ...blending };
}

function postprocessing(form: OnnxForm, channels: number): object[] {
  const activation = activationOf(form, channels);
  const activated = activation === 'none' ? [] : [onAnswer('Activationsd', { [activation]: true })];
  if (form.kind !== 'segmentation') return [...activated, onAnswer('SaveClassificationd', { output_dir: 'eval' })];
  const map = isLabelMap(form, channels);
  if (form.keepLargest && !map && channels > 1)
    throw wrongForm(
      'keepLargest',
      'Masks that may overlap are left as they are',
      'Leave `keepLargest` out, or use softmax',
    );
  return [
    ...activated,
    onAnswer('Invertd', {
      transform: '@preprocessing',
      orig_keys: '@image_key',
      nearest_interp: false,
      to_tensor: true,
    }),
    onAnswer('AsDiscreted', map ? { argmax: true } : { threshold: form.threshold }),
    ...(form.keepLargest
      ? [
          onAnswer('KeepLargestConnectedComponentd', {
            applied_labels: form.structures.map((_, at) => (map ? channelOf(form, channels, at) : 1)),
          }),
        ]
      : []),
    onAnswer('SaveImaged', { output_dir: 'eval' }),
  ];
}
