/** Families of models: what is said of all versions together, and their messages of SegInt-R. */
import { z } from 'zod';
import { binary, operation } from '../operation.js';
import { description, id, language, line, text, time } from './common.js';

const vector = z.object({ x: z.number(), y: z.number(), z: z.number() });

const saidOfFamily = {
  languageCode: language,
  name: line.describe('For people'),
  description,
  clinicalDomain: line,
  anatomicalRegion: line,
  primaryStructure: line,
  modalities: z.array(line).max(64),
  inputChannels: z
    .array(
      z.object({
        channelId: text(64).min(1),
        constraints: z.object({
          acceptedModalities: z.array(text(64)),
          spacingMin: vector.describe('mm'),
          spacingMax: vector.describe('mm'),
          dimensionsMin: vector.describe('voxels'),
          dimensionsMax: vector.describe('voxels'),
          originalDataRequired: z.boolean(),
          isAxial: z.boolean(),
        }),
      }),
    )
    .max(64),
  bodyPartsExamined: z.array(text(64)).max(111).describe('Names as docs/how-to/add-models.md lists them'),
  gender: z.enum(['Male', 'Female', 'Any']),
};

export const family = z.object({
  id,
  canonicalName: z.string().describe('The name of name:version'),
  ...saidOfFamily,
  createdAt: time,
  updatedAt: time,
});

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
    body: z.strictObject(saidOfFamily).partial(),
    answer: family,
  }),
  segint: operation({
    method: 'GET',
    path: '/isocenter/v1/families/:family/segint',
    summary: 'A family as the ModelFamily message of SegInt-R, made of its present fields',
    tag: 'models',
    permission: 'models.read',
    params: z.object({ family: id }),
    answer: binary('application/x-protobuf'),
  }),
  fillFromSegint: operation({
    method: 'PUT',
    path: '/isocenter/v1/families/:family/segint',
    summary:
      'Fill a family, its versions and structures from a serialised ModelFamily of SegInt-R: all of it or nothing',
    tag: 'models',
    permission: 'models.write',
    params: z.object({ family: id }),
    body: binary('application/x-protobuf', 'application/octet-stream'),
    answer: family,
  }),
} as const;
