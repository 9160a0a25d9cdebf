/** Models: versions with their structures, uploads, exports, and which of them are warm. */
import { z } from 'zod';
import { binary, operation } from '../operation.js';
import { warmModel } from './administration.js';
import { description, id, language, line, listOf, pageOf, pageWish, text, time } from './common.js';

/** Longest form in a query: a request line has 4 KB. */
const LONGEST_FORM = 3000;

export const structure = z.object({
  label: z.int().describe('Value of its voxels in the label map'),
  name: z.string(),
  colour: z.array(z.int()).describe('sRGB, 0..255'),
  type: z.enum(['External', 'Organ', 'Unknown']),
  interpretedType: z.string().describe('RT ROI Interpreted Type; empty: not said'),
  fmaCode: z.int().describe('Foundational Model of Anatomy; 0: not known'),
  code: z.object({ value: z.string(), scheme: z.string(), meaning: z.string() }).nullable(),
  inputChannelId: z.string(),
  structureId: z.string(),
});

const regulatoryFramework = z.object({
  framework: line,
  status: z.enum(['Clinical', 'Investigational', 'Recalled', 'Withdrawn']),
  udi: line.default(''),
  manufacturer: line.default(''),
  detailsUrl: line.default(''),
  releaseDate: time.nullable().default(null),
});

/** What may be said of a version without changing what it computes or writes. */
const saidOfModel = {
  versionId: text(128).min(1),
  description,
  creditsRequired: z.number().min(0),
  majorVersion: z.int().min(0),
  minorVersion: z.int().min(0),
  languageCode: language,
  regulatoryFrameworks: z.array(regulatoryFramework).max(64),
};

export const model = z.object({
  id,
  familyId: id,
  address: z.string().describe('name:version'),
  name: z.string(),
  version: z.string(),
  state: z.enum(['active', 'retired']),
  origin: z.enum(['added', 'shipped']),
  kind: z.enum(['segmentation', 'classification', 'regression']),
  takes: z.enum(['images', 'features']).describe('features: a vector of numbers; cannot be asked about a study'),
  problem: z.string().optional().describe('Why this program cannot run it; absent when it can'),
  ...saidOfModel,
  createdOn: time,
  addedAt: time,
  regulatoryStatus: z.string(),
  manufacturer: z.string(),
  modelName: z.string(),
  intendedUse: z.string(),
  structures: z.array(structure),
  classes: z.array(z.string()),
  channels: z.array(
    z.object({ name: z.string(), modalities: z.array(z.string()), units: z.string(), optional: z.boolean() }),
  ),
  sha256: z.string().describe('Of the bundle'),
  bytes: z.number(),
  weightsSha256: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
  pythonModule: z
    .object({ name: z.string(), sha256: z.string(), bytes: z.number() })
    .optional()
    .describe('Stored with the model, never run'),
});

const modelChanges = z
  .strictObject({
    ...saidOfModel,
    structures: z
      .array(
        z.strictObject({
          label: structure.shape.label,
          type: structure.shape.type.optional(),
          fmaCode: z.int().min(0).optional(),
          inputChannelId: text(64).optional(),
          structureId: text(64).min(1).optional(),
        }),
      )
      .max(65_535),
  })
  .partial();

const modelParams = z.object({ model: id.describe('Id, name:version, or name for its newest active version') });

export const models = {
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/models',
    summary: 'Model versions, newest first',
    tag: 'models',
    permission: 'models.read',
    query: z.strictObject({
      ...pageWish,
      family: id.optional().describe('Id of a family'),
      state: z.enum(['active', 'retired']).optional(),
    }),
    answer: pageOf(model),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/models/:model',
    summary: 'One model version with its structures',
    tag: 'models',
    permission: 'models.read',
    params: modelParams,
    answer: model,
  }),
  add: operation({
    method: 'POST',
    path: '/isocenter/v1/models',
    summary: 'Add a MONAI bundle (zip), an export of another server, or a raw .onnx with form fields',
    tag: 'models',
    permission: 'models.write',
    query: z.strictObject({
      name: text(64).optional().describe('For a raw .onnx, or a bundle that does not name itself'),
      version: text(64).optional().describe('For a raw .onnx'),
      kind: z.enum(['segmentation', 'classification', 'regression']).optional().describe('For a raw .onnx'),
      structures: listOf(text(64)).optional().describe('For a raw .onnx: names in the order of its outputs'),
      form: text(LONGEST_FORM)
        .optional()
        .describe(
          'For a raw .onnx: JSON of all fields of docs/how-to/add-models.md; a long one goes into multipart/form-data',
        ),
    }),
    body: binary('application/zip', 'application/octet-stream', 'multipart/form-data', '*/*'),
    answer: model,
    status: 201,
  }),
  update: operation({
    method: 'PATCH',
    path: '/isocenter/v1/models/:model',
    summary: 'Change what is said of a version; never its bytes',
    tag: 'models',
    permission: 'models.write',
    params: modelParams,
    body: modelChanges,
    answer: model,
  }),
  retire: operation({
    method: 'POST',
    path: '/isocenter/v1/models/:model/retire',
    summary: 'Take a version out of use; jobs that name it exactly keep working',
    tag: 'models',
    permission: 'models.write',
    params: modelParams,
    answer: model,
  }),
  activate: operation({
    method: 'POST',
    path: '/isocenter/v1/models/:model/activate',
    summary: 'Put a retired version back into use',
    tag: 'models',
    permission: 'models.write',
    params: modelParams,
    answer: model,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/isocenter/v1/models/:model',
    summary: 'Remove a version; refused while jobs need it',
    tag: 'models',
    permission: 'models.write',
    params: modelParams,
  }),
  export: operation({
    method: 'GET',
    path: '/isocenter/v1/models/:model/export',
    summary: 'One file that another server adds',
    tag: 'models',
    permission: 'models.read',
    params: modelParams,
    answer: binary('application/zip'),
  }),
  storeModule: operation({
    method: 'PUT',
    path: '/isocenter/v1/models/:model/module',
    summary: 'Keep a Python module beside a version: it is stored, never run; replaces the one before',
    tag: 'models',
    permission: 'models.write',
    params: modelParams,
    query: z.strictObject({ name: text(128).min(1).describe('File name, such as network.py') }),
    body: binary('text/x-python', 'text/plain', 'application/octet-stream', '*/*'),
    answer: model,
  }),
  module: operation({
    method: 'GET',
    path: '/isocenter/v1/models/:model/module',
    summary: 'The Python module that was stored with a version',
    tag: 'models',
    permission: 'models.read',
    params: modelParams,
    answer: binary('text/x-python'),
  }),
  structures: operation({
    method: 'GET',
    path: '/isocenter/v1/models/:model/structures',
    summary: 'What a version segments',
    tag: 'models',
    permission: 'models.read',
    params: modelParams,
    answer: z.object({ items: z.array(structure) }),
  }),
  warm: operation({
    method: 'POST',
    path: '/isocenter/v1/models/:model/warm',
    summary: 'Load a version on this server now, so that the first request is fast',
    tag: 'models',
    permission: 'operations.run',
    params: modelParams,
    answer: warmModel,
  }),
  evict: operation({
    method: 'POST',
    path: '/isocenter/v1/models/:model/evict',
    summary: 'Give the memory of an idle version back',
    tag: 'models',
    permission: 'operations.run',
    params: modelParams,
    answer: z.object({ evicted: z.boolean() }),
  }),
} as const;
