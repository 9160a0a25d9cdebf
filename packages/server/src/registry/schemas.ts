/**
 * Every field of family, version and structure as zod schemas: one truth for the rows, the REST API and the old
 * protocol (specs/protocols.md 3.3, 3.8). Names are ours in camelCase; `docs/how-to/add-models.md` lists their SegInt names.
 */
import { z } from 'zod';
import { bodyPartsExamined, genderTypes, modalityTypes, regulatoryStatuses, structureTypes } from './enums.js';

/** Longest text of one line, and of several: far above any real one, and a bound for rows that strangers write. */
const LINE = 256;
const TEXT = 10_000;
const UINT32 = 0xffff_ffff;

const line = z.string().max(LINE);
const text = z.string().max(TEXT);
const language = z.string().max(16).describe('Language of the texts, e.g. "en"');

/** `name` of `name:version`; also SegInt's canonical name. */
export const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
/** `version` of `name:version`. */
export const modelVersionText = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/);

export const vector3Schema = z.strictObject({ x: z.number().min(0), y: z.number().min(0), z: z.number().min(0) });

export const channelConstraintsSchema = z.strictObject({
  acceptedModalities: z.array(z.enum(modalityTypes)).max(modalityTypes.length),
  spacingMin: vector3Schema.describe('mm'),
  spacingMax: vector3Schema.describe('mm'),
  dimensionsMin: vector3Schema.describe('voxels'),
  dimensionsMax: vector3Schema.describe('voxels'),
  originalDataRequired: z.boolean().describe('Images must come from the scanner, not from post-processing'),
  isAxial: z.boolean(),
});

export const inputChannelSchema = z.strictObject({
  channelId: z.string().min(1).max(64),
  constraints: channelConstraintsSchema,
});

export const familyFieldsSchema = z.strictObject({
  canonicalName: modelName.describe('Identifier; the `name` of `name:version`'),
  languageCode: language,
  name: line.describe('For people'),
  description: text,
  clinicalDomain: line,
  anatomicalRegion: line,
  primaryStructure: line,
  modalities: z.array(line).max(64).describe('As text, e.g. ["CT"]'),
  inputChannels: z.array(inputChannelSchema).max(64),
  bodyPartsExamined: z.array(z.enum(bodyPartsExamined)).max(bodyPartsExamined.length),
  gender: z.enum(genderTypes),
});

const byte = z.int().min(0).max(255);

export const structureFieldsSchema = z.strictObject({
  label: z.int().min(1).max(65535).describe('Value in the label map'),
  name: z.string().min(1).max(64),
  colour: z.tuple([byte, byte, byte]).describe('sRGB'),
  type: z.enum(structureTypes),
  interpretedType: z.string().max(16).describe('RT ROI Interpreted Type of the objects we write'),
  fmaCode: z.int().min(0).max(UINT32).describe('Foundational Model of Anatomy; 0: not known'),
  code: z.strictObject({ value: line, scheme: line, meaning: line }).nullable(),
  inputChannelId: z.string().max(64).describe('Channel whose grid the mask has'),
  structureId: z.string().min(1).max(64),
});

export const regulatoryFrameworkSchema = z.strictObject({
  framework: line.describe('e.g. "MDR", "FDA 510(k)"'),
  status: z.enum(regulatoryStatuses),
  udi: line.default(''),
  manufacturer: line.default(''),
  detailsUrl: line.default(''),
  releaseDate: z.iso.datetime({ offset: true }).nullable().default(null),
});

/** What may be said about a version without changing what it computes or writes. */
export const versionFieldsSchema = z.strictObject({
  versionId: z.string().min(1).max(128).describe('ModelVersion.ID of SegInt; default: the address'),
  description: text,
  createdOn: z.iso.datetime({ offset: true }),
  creditsRequired: z.number().min(0),
  majorVersion: z.int().min(0).max(UINT32),
  minorVersion: z.int().min(0).max(UINT32),
  languageCode: language,
  regulatoryFrameworks: z.array(regulatoryFrameworkSchema).max(64),
});

export const familyChangesSchema = familyFieldsSchema.omit({ canonicalName: true }).partial();

/** Names and colours of structures come from the bundle: changing them would change the objects that are written. */
export const versionChangesSchema = versionFieldsSchema
  .extend({
    state: z.enum(['active', 'retired']),
    structures: z
      .array(
        structureFieldsSchema
          .pick({ type: true, fmaCode: true, inputChannelId: true, structureId: true })
          .partial()
          .extend({
            position: z.int().min(0).optional().describe('Which one, counted from 0'),
            label: structureFieldsSchema.shape.label.optional().describe('Which one, by its label'),
          }),
      )
      .max(65535),
  })
  .partial();

export type FamilyFields = z.infer<typeof familyFieldsSchema>;
export type InputChannel = z.infer<typeof inputChannelSchema>;
export type StructureFields = z.infer<typeof structureFieldsSchema>;
export type RegulatoryFramework = z.infer<typeof regulatoryFrameworkSchema>;
export type VersionFields = z.infer<typeof versionFieldsSchema>;
