/** Models: families, their versions with structures, uploads, exports, and which of them are warm. */
import { z } from 'zod';
import { binary, operation } from '../operation.js';
import { warmModel } from './administration.js';
import { id, pageOf, pageWish, text, time } from './common.js';

/** Longest form that fits into a request line. */
const LONGEST_FORM = 6000;

const code = z.object({ value: z.string(), scheme: z.string(), meaning: z.string() });

export const structure = z.object({
  id,
  name: z.string(),
  label: z.int().describe('Value of its voxels in the label map'),
  colour: z.array(z.int()).length(3).describe('sRGB, 0..255'),
  type: z.enum(['External', 'Organ', 'Unknown']),
  interpretedType: z.string().describe('RT ROI Interpreted Type; empty: not said'),
  fmaCode: z.int().optional(),
  channel: z.string().optional(),
  code: code.optional(),
  category: code.optional(),
});

export const regulatoryFramework = z.object({
  framework: text(128),
  status: z.enum(['Clinical', 'Investigational', 'Recalled', 'Withdrawn']),
  udi: text(128).optional(),
  manufacturer: text(128).optional(),
  detailsUrl: text(500).optional(),
  releaseDate: time.optional(),
});

export const model = z.looseObject({
  id,
  familyId: id,
  address: z.string().describe('name:version'),
  state: z.enum(['active', 'retired']),
  description: z.string().optional(),
  sha256: z.string().optional().describe('Of the bundle'),
  bytes: z.number().optional(),
  createdAt: time.optional(),
  structures: z.array(structure),
  regulatoryFrameworks: z.array(regulatoryFramework),
});

export const family = z.looseObject({
  id,
  canonicalName: z.string(),
});

const modelParams = z.object({ model: id.describe('Id, name:version, or name for its newest active version') });

export const models = {
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/models',
    summary: 'Model versions',
    tag: 'models',
    permission: 'models.read',
    query: z.strictObject(pageWish),
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
      name: text(64).optional(),
      version: text(64).optional(),
      form: text(LONGEST_FORM).optional().describe('JSON of further form fields, for a raw .onnx'),
    }),
    body: binary('application/zip', 'application/octet-stream'),
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
    body: z.looseObject({}),
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

export const families = {
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/families',
    summary: 'Model families',
    tag: 'models',
    permission: 'models.read',
    answer: z.object({ items: z.array(family) }),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/families/:family',
    summary: 'One family',
    tag: 'models',
    permission: 'models.read',
    params: z.object({ family: id }),
    answer: family,
  }),
  update: operation({
    method: 'PATCH',
    path: '/isocenter/v1/families/:family',
    summary: 'Change what is said of a family',
    tag: 'models',
    permission: 'models.write',
    params: z.object({ family: id }),
    body: z.looseObject({}),
    answer: family,
  }),
} as const;
