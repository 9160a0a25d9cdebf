/**
 * What must be said about a raw `.onnx` file so that a bundle can be made of it: what the images were like, how windows
 * were cut, what the outputs mean. Everything that the graph itself tells has a default; docs/how-to/add-models.md explains each field.
 */
import { z } from 'zod';
import { bodyPartsExamined, genderTypes } from './enums.js';
import type { BundleDescription } from './fields-of-bundle.js';
import { RegistryError } from './registry-error.js';
import { modelName, modelVersionText, regulatoryFrameworkSchema } from './schemas.js';

const line = z.string().max(256);
const name = z.string().min(1).max(64);
const positive = z.number().positive().max(1e6);
const sizes = z.array(z.int().min(1).max(65_535)).min(2).max(3);
const finite = z.number().min(-1e9).max(1e9);
const byte = z.int().min(0).max(255);
const code = z.strictObject({
  value: z.string().min(1).max(16),
  scheme: z.string().min(1).max(16),
  meaning: z.string().min(1).max(64),
});

const intensity = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('window'),
    from: finite,
    to: finite,
    low: finite.default(0),
    high: finite.default(1),
  }),
  z.strictObject({ kind: z.literal('z-score'), nonzero: z.boolean().default(false) }),
  z.strictObject({ kind: z.literal('min-max'), low: finite.default(0), high: finite.default(1) }),
  z.strictObject({
    kind: z.literal('percentiles'),
    lower: z.number().min(0).max(100).default(1),
    upper: z.number().min(0).max(100).default(99),
    low: finite.default(0),
    high: finite.default(1),
  }),
  z.strictObject({ kind: z.literal('fixed'), mean: finite, deviation: positive }),
]);

const channel = z.strictObject({
  name,
  modalities: z.array(z.string().min(1).max(16)).min(1).max(16).optional(),
  units: z.string().max(16).optional(),
  optional: z.boolean().optional(),
  description: line.optional(),
});

const structure = z.strictObject({
  name,
  label: z.int().min(1).max(65_535).optional(),
  channel: z.int().min(0).max(65_535).optional(),
  colour: z.tuple([byte, byte, byte]).optional(),
  type: z.string().max(16).optional(),
  code: code.optional(),
  fmaCode: z.int().min(1).max(999_999_999).optional(),
});

export const onnxForm = z.strictObject({
  name: modelName,
  version: modelVersionText,
  kind: z.enum(['segmentation', 'classification', 'regression']),
  description: z.string().max(10_000).optional(),
  authors: line.optional(),
  copyright: line.optional(),
  intendedUse: z.string().max(1000).optional(),
  regulatoryStatus: z.string().max(256).default('not a medical device: research use only'),
  manufacturer: z.string().max(64).optional(),
  modelName: z.string().max(64).optional(),
  memoryBytes: z.int().positive().optional(),

  channels: z.array(channel).min(1).max(64).optional(),
  orientation: z
    .string()
    .regex(/^(rows-first|as-is|[LRAPSI]{3})$/)
    .optional(),
  spacing: z.tuple([positive, positive, positive]).optional(),
  intensity: intensity.default({ kind: 'none' }),
  resize: sizes.optional(),
  window: z.union([z.literal('whole'), sizes]).optional(),
  overlap: z.number().min(0).max(0.95).default(0.5),
  blend: z.enum(['gaussian', 'constant']).default('gaussian'),
  divisibleBy: z.int().min(2).max(512).optional(),
  layout: z.enum(['channels-first', 'channels-last']).default('channels-first'),

  activation: z.enum(['softmax', 'sigmoid', 'none']).optional(),
  threshold: z.number().min(0).max(1).default(0.5),
  keepLargest: z.boolean().default(false),
  structures: z.array(structure).max(1000).default([]),
  classes: z.array(name).max(10_000).optional(),
  features: z.array(name).max(100_000).optional(),

  languageCode: z.string().max(16).optional(),
  clinicalDomain: line.optional(),
  anatomicalRegion: line.optional(),
  primaryStructure: line.optional(),
  bodyPartsExamined: z.array(z.enum(bodyPartsExamined)).max(bodyPartsExamined.length).optional(),
  gender: z.enum(genderTypes).optional(),
  regulatoryFrameworks: z.array(regulatoryFrameworkSchema).max(64).optional(),
});

export type OnnxForm = z.infer<typeof onnxForm>;

/** Throws RegistryError `wrong-form` that names each wrong field. */
export function parseOnnxForm(form: unknown): OnnxForm {
  const result = onnxForm.safeParse(form);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'form'}: ${issue.message}`);
  throw new RegistryError('wrong-form', `The form is not valid: ${problems.join('; ')}`, {
    where: result.error.issues[0].path.join('.') || 'form',
    next: 'docs/how-to/add-models.md lists the fields and what they mean',
  });
}

/** What of the form does not stand in the bundle, because MONAI has no place for it. */
export function withFormFields(own: BundleDescription, form: OnnxForm): BundleDescription {
  const family = {
    ...own.family,
    languageCode: form.languageCode ?? own.family.languageCode,
    clinicalDomain: form.clinicalDomain ?? '',
    anatomicalRegion: form.anatomicalRegion ?? '',
    primaryStructure: form.primaryStructure ?? own.family.primaryStructure,
    bodyPartsExamined: form.bodyPartsExamined ?? [],
    gender: form.gender ?? 'Any',
  };
  const fields = {
    ...own.fields,
    languageCode: form.languageCode ?? own.fields.languageCode,
    regulatoryFrameworks: form.regulatoryFrameworks ?? own.fields.regulatoryFrameworks,
  };
  return { ...own, family, fields };
}
