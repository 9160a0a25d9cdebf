/**
 * MONAI's `metadata.json` (specs/monai.md B.1): what is needed is checked, what is not known passes through. The
 * `isocenter` key, when absent, is derived from `network_data_format`, so that a bundle straight from the zoo has names.
 */
import { z } from 'zod';
import { BundleError } from './bundle-error.js';
import { type IsocenterKey, isocenterKeySchema } from './isocenter-key.js';

const port = z.looseObject({
  type: z.string().optional(),
  format: z.string().optional(),
  modality: z.string().optional(),
  num_channels: z.number().optional(),
  spatial_shape: z.array(z.union([z.number(), z.string()])).optional(),
  dtype: z.string().optional(),
  value_range: z.array(z.number()).optional(),
  is_patch_data: z.boolean().optional(),
  channel_def: z.record(z.string(), z.string()).optional(),
});

export const bundleMetadataSchema = z.looseObject({
  schema: z.string().optional(),
  version: z.string().min(1),
  name: z.string().optional(),
  task: z.string().optional(),
  description: z.string().optional(),
  authors: z.string().optional(),
  copyright: z.string().optional(),
  intended_use: z.string().optional(),
  monai_version: z.string().optional(),
  pytorch_version: z.string().optional(),
  numpy_version: z.string().optional(),
  changelog: z.record(z.string(), z.string()).optional(),
  references: z.array(z.string()).optional(),
  network_data_format: z
    .looseObject({ inputs: z.record(z.string(), port).default({}), outputs: z.record(z.string(), port).default({}) })
    .optional(),
  isocenter: isocenterKeySchema.optional(),
});

export type BundleMetadata = z.infer<typeof bundleMetadataSchema>;

/** Throws BundleError `invalid-metadata` that names each wrong field. */
export function readMetadata(json: unknown, file: string): BundleMetadata {
  const result = bundleMetadataSchema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new BundleError('invalid-metadata', `The bundle's metadata is not valid: ${problems.join('; ')}`, {
    where: file,
    next: 'Correct the named fields; docs/reference/bundle.md lists what is expected',
  });
}

/** Evenly spread hues, so that structures without a colour of their own can be told apart. */
export function colourOf(index: number): [number, number, number] {
  const hue = (index * 137.508) % 360;
  const channel = (offset: number) => {
    const t = (offset + hue / 60) % 6;
    return Math.round(64 + 191 * Math.max(0, Math.min(1, Math.abs(t - 3) - 1)));
  };
  return [channel(0), channel(4), channel(2)];
}

/** The `isocenter` key, or one made of the zoo's own fields (channel definitions of the first input and output). */
export function isocenterKeyOf(metadata: BundleMetadata): IsocenterKey {
  if (metadata.isocenter) return metadata.isocenter;
  const [input] = Object.values(metadata.network_data_format?.inputs ?? {});
  const [output] = Object.values(metadata.network_data_format?.outputs ?? {});
  const modalities = modalityOf(input?.modality);
  const names = sortedNames(input?.channel_def);
  const channels = (names.length > 0 ? names.map(([, name]) => name) : ['image']).map((name) => ({
    name,
    ...(modalities ? { modalities } : {}),
  }));
  const outputs = sortedNames(output?.channel_def);
  const isClasses = output?.type === 'probabilities' || output?.format === 'classes' || output?.format === 'labels';
  return {
    channels,
    structures: isClasses
      ? []
      : outputs
          .filter(([, name]) => name.toLowerCase() !== 'background')
          .map(([label, name], index) => ({
            label: Math.max(1, label),
            channel: label,
            name: name.slice(0, 64),
            colour: colourOf(index),
            interpretedType: '',
          })),
    classes: isClasses ? outputs.map(([, name]) => ({ name })) : [],
    weights: [],
    ...(metadata.intended_use ? { intendedUse: metadata.intended_use } : {}),
  };
}

function sortedNames(definition: Record<string, string> | undefined): [number, string][] {
  return Object.entries(definition ?? {})
    .map(([index, name]): [number, string] => [Number(index), name])
    .filter(([index, name]) => Number.isInteger(index) && name !== '')
    .sort((a, b) => a[0] - b[0]);
}

/** The zoo writes `CT`, `MR`, `MRI`, `T1`…; only what is a DICOM Modality for certain becomes a constraint. */
function modalityOf(text: string | undefined): string[] | undefined {
  const upper = text?.trim().toUpperCase();
  if (upper === 'CT') return ['CT'];
  if (upper === 'MR' || upper === 'MRI') return ['MR'];
  return undefined;
}
