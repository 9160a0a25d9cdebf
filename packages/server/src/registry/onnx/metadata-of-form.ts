/** `metadata.json` of a bundle that is made from an ONNX file: MONAI's description of the data, and the `isocenter` key. */
import { distinctColour } from '@isocenter/volume';
import type { OnnxForm } from '../onnx-form.js';
import type { FeaturePlan, ImagePlan, PlannedOutputs } from './bundle-plan.js';
import { wrongForm } from './bundle-plan.js';
import { channelOf, isLabelMap } from './image-bundle.js';

export function metadataOf(
  form: OnnxForm,
  plan: FeaturePlan | ImagePlan,
  outputs: PlannedOutputs,
  weightsSha256: string,
): object {
  const segments = form.kind === 'segmentation';
  return {
    version: form.version,
    changelog: { [form.version]: form.description ?? 'Made from an ONNX file' },
    name: form.modelName ?? form.name,
    task: form.kind,
    ...given({
      description: form.description,
      authors: form.authors,
      copyright: form.copyright,
      intended_use: form.intendedUse,
    }),
    network_data_format: {
      inputs: 'features' in plan ? { features: featurePort(plan.features) } : { image: imagePort(plan) },
      outputs: { pred: answerPort(form, outputs) },
    },
    isocenter: {
      name: form.name,
      channels:
        'features' in plan
          ? [{ name: 'features', description: `A vector of ${plan.features.length} numbers, not an image` }]
          : (form.channels ?? [{ name: 'image' }]),
      structures: segments ? structuresOf(form, outputs.channels) : [],
      classes: segments ? [] : outputs.names.map((name) => ({ name })),
      weights: [{ path: 'models/model.onnx', sha256: weightsSha256 }],
      regulatoryStatus: form.regulatoryStatus,
      ...given({
        manufacturer: form.manufacturer,
        modelName: form.modelName,
        intendedUse: form.intendedUse,
        expectedSpacing: form.spacing,
        memoryBytes: form.memoryBytes,
      }),
    },
  };
}

function structuresOf(form: OnnxForm, channels: number): object[] {
  const labels = new Set<number>();
  return form.structures.map((structure, position) => {
    const map = isLabelMap(form, channels);
    const channel = channelOf(form, channels, position);
    // A single mask is a label map of zeros and ones.
    const label = map ? channel : channels === 1 ? 1 : (structure.label ?? position + 1);
    if (label < 1 || labels.has(label))
      throw wrongForm(
        `structures.${position}`,
        `Label ${label} is used twice or is the background`,
        'Give each structure a label of its own, from 1',
      );
    labels.add(label);
    return {
      label,
      ...(map ? {} : { channel }),
      name: structure.name,
      colour: structure.colour ?? distinctColour(position),
      interpretedType: structure.type ?? '',
      ...given({
        code:
          structure.code ??
          (structure.fmaCode === undefined
            ? undefined
            : { value: String(structure.fmaCode), scheme: 'FMA', meaning: structure.name }),
      }),
    };
  });
}

function imagePort({ form, channels, rank, fixed, window }: ImagePlan): object {
  const modality = form.channels?.[0]?.modalities?.[0];
  const { intensity } = form;
  const range = 'low' in intensity ? [intensity.low, intensity.high] : [];
  const sizes = window === 'whole' ? (form.resize ?? fixed.map((n) => n ?? '*')) : window;
  return {
    type: 'image',
    format: modality === 'CT' ? 'hounsfield' : 'magnitude',
    modality: modality ?? 'any',
    num_channels: channels.length,
    spatial_shape: rank === 2 ? [...sizes] : sizes,
    dtype: 'float32',
    value_range: range,
    is_patch_data: window !== 'whole',
    channel_def: numbered(channels),
  };
}

/** `tuples` of `features` is how the registry tells such a model from one that looks at images. */
function featurePort(features: readonly string[]): object {
  return {
    type: 'tuples',
    format: 'features',
    num_channels: 1,
    spatial_shape: [features.length],
    dtype: 'float32',
    value_range: [],
    is_patch_data: false,
    channel_def: numbered(features),
  };
}

function answerPort(form: OnnxForm, { channels, names }: PlannedOutputs): object {
  const [type, format] = {
    segmentation: ['image', 'segmentation'],
    classification: ['probabilities', 'classes'],
    regression: ['tuples', 'values'],
  }[form.kind];
  return {
    type,
    format,
    num_channels: channels,
    spatial_shape: form.kind === 'segmentation' ? ['*', '*', '*'] : [],
    dtype: 'float32',
    value_range: form.kind === 'regression' ? [] : [0, 1],
    is_patch_data: false,
    channel_def: numbered(names),
  };
}

function numbered(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [String(at), name]));
}

/** Without what was not said. */
function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
