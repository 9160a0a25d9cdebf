/**
 * The one key we add to MONAI's `metadata.json`: what a DICOM world needs to know about a model (which images it wants,
 * what its labels are called, who answers for it). The JSON schema under docs/reference/ is generated from here.
 */
import { z } from 'zod';

const code = z
  .strictObject({
    value: z.string().min(1).max(16),
    scheme: z.string().min(1).max(16),
    meaning: z.string().min(1).max(64),
  })
  .describe('A coded concept: Code Value, Coding Scheme Designator, Code Meaning (DICOM PS3.3 8.8)');

const channel = z.strictObject({
  name: z.string().min(1).max(64).describe('Name of the channel: the sub-folder of a multi-channel upload'),
  key: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Key of the sample that this channel fills; default: the image key. Channels of one key are stacked in this order',
    ),
  modalities: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('DICOM Modality values that are accepted, e.g. ["CT"]'),
  units: z.string().optional().describe('Unit of the voxel values: HU, SUVbw …'),
  optional: z.boolean().optional().describe('May be missing; it is then filled with zeros'),
  constraints: z
    .record(
      z.string().regex(/^[A-Z][A-Za-z0-9]*$/),
      z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()])).min(1)]),
    )
    .optional()
    .describe('DICOM keyword → value or list of accepted values; used to choose the series'),
  description: z.string().optional(),
});

const structure = z.strictObject({
  label: z.int().min(1).max(65535).describe('Value of its voxels in the label map'),
  channel: z
    .int()
    .min(0)
    .optional()
    .describe('Where the model answers one mask per channel: the channel; default: label'),
  name: z.string().min(1).max(64).describe('ROI name and segment label'),
  colour: z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)]).describe('sRGB, 0..255'),
  interpretedType: z.string().max(16).default('').describe('RT ROI Interpreted Type (PS3.3 C.8.8.8); empty: not said'),
  code: code.optional().describe('Segmented property type'),
  category: code.optional().describe('Segmented property category'),
  modifiers: z.array(code).optional().describe('Laterality and other modifiers of the type'),
});

export const isocenterKeySchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
      .optional()
      .describe('Identifier in name:version; default: the folder name'),
    channels: z
      .array(channel)
      .min(1)
      .describe('What the model wants to see; the first one gives the grid of the answer'),
    structures: z.array(structure).default([]).describe('What the model segments'),
    classes: z
      .array(
        z.strictObject({
          name: z.string().min(1),
          code: code.optional(),
          unit: z.string().min(1).max(16).optional().describe('Of a regression: unit of the number (UCUM), e.g. mm'),
        }),
      )
      .default([])
      .describe('What the model tells apart, or the numbers it gives, in the order of its outputs'),
    weights: z
      .array(z.strictObject({ path: z.string().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
      .default([])
      .describe('Files of the bundle with their SHA-256; checked at load'),
    manufacturer: z.string().max(64).optional(),
    modelName: z.string().max(64).optional().describe("Manufacturer's Model Name in the objects we write"),
    regulatoryStatus: z.string().optional().describe('e.g. "not a medical device: research use only"'),
    intendedUse: z.string().optional(),
    expectedSpacing: z
      .tuple([z.number().positive(), z.number().positive(), z.number().positive()])
      .optional()
      .describe('Spacing (mm) of the images it was made for'),
    memoryBytes: z
      .int()
      .positive()
      .optional()
      .describe('Measured peak memory of one run, used in the forecast before a run'),
  })
  .describe('What Isocenter adds to a MONAI bundle');

/** The key after its defaults were filled in. */
export type IsocenterKey = z.infer<typeof isocenterKeySchema>;
