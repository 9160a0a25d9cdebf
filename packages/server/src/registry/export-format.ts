/**
 * The file that carries one model version from a server to another: a zip of `bundle.zip` (the canonical bundle),
 * `registry.json` (what administrators wrote about it), maybe `module.py`, and `manifest.json` with the SHA-256 of each.
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '@isocenter/formats';
import { z } from 'zod';
import { RegistryError } from './registry-error.js';
import { familyFieldsSchema, structureFieldsSchema, versionFieldsSchema } from './schemas.js';

export const EXPORT_KIND = 'isocenter-model-export';
export const EXPORT_FORMAT = 1;
export const MANIFEST = 'manifest.json';
export const REGISTRY_FIELDS = 'registry.json';
export const BUNDLE = 'bundle.zip';
export const MODULE = 'module.py';
/** Fields and checksums are text of some kilobytes. */
const MAXIMUM_JSON_BYTES = 4 * 1024 * 1024;

const fileSchema = z.strictObject({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export const manifestSchema = z.object({
  kind: z.literal(EXPORT_KIND),
  format: z.literal(EXPORT_FORMAT),
  files: z.record(z.enum([BUNDLE, REGISTRY_FIELDS, MODULE]), fileSchema.optional()),
});

export const exportedFieldsSchema = z.strictObject({
  family: familyFieldsSchema,
  version: versionFieldsSchema,
  state: z.enum(['active', 'retired']),
  structures: z.array(
    structureFieldsSchema.pick({ type: true, fmaCode: true, inputChannelId: true, structureId: true }),
  ),
  module: z.strictObject({ name: z.string().max(64) }).nullable(),
});

export type ExportedFields = z.infer<typeof exportedFieldsSchema>;

export interface ExportedModel {
  readonly bundle: Uint8Array;
  readonly fields: ExportedFields;
  readonly module: Uint8Array | undefined;
}

export function isExport(sources: readonly ByteSource[]): boolean {
  const names = new Set(sources.map(({ name }) => name));
  return names.has(MANIFEST) && names.has(BUNDLE) && names.has(REGISTRY_FIELDS);
}

/** Reads and verifies all of it. Throws RegistryError `damaged`, `not-a-model`; ArchiveError. */
export async function readExport(sources: readonly ByteSource[]): Promise<ExportedModel> {
  const manifest = parsed(manifestSchema, await small(sources, MANIFEST), MANIFEST);
  const read = async (name: typeof BUNDLE | typeof REGISTRY_FIELDS | typeof MODULE): Promise<Uint8Array> => {
    const source = sources.find((candidate) => candidate.name === name);
    const promised = manifest.files[name];
    if (!source || !promised) throw incomplete(name);
    const bytes = await source.read();
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found === promised.sha256 && bytes.byteLength === promised.bytes) return bytes;
    throw new RegistryError(
      'damaged',
      `A part of the file has SHA-256 ${found}, its manifest promises ${promised.sha256}`,
      {
        where: name,
        next: 'Export the model again and copy the file anew',
      },
    );
  };
  const fields = parsed(exportedFieldsSchema, await read(REGISTRY_FIELDS), REGISTRY_FIELDS);
  const bundle = await read(BUNDLE);
  return { bundle, fields, module: fields.module ? await read(MODULE) : undefined };
}

async function small(sources: readonly ByteSource[], name: string): Promise<Uint8Array> {
  const source = sources.find((candidate) => candidate.name === name);
  if (!source || source.size > MAXIMUM_JSON_BYTES) throw incomplete(name);
  return source.read();
}

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new RegistryError('not-a-model', 'A part of the exported model is no JSON', { where: name, cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RegistryError('not-a-model', `The exported model is not valid: ${issue.message}`, {
    where: `${name}: ${issue.path.join('.')}`,
    next: 'Export it again, by a server of this version or an older one',
  });
}

function incomplete(name: string): RegistryError {
  return new RegistryError('not-a-model', `The exported model has no ${name} that can be read`, {
    where: name,
    next: 'Export it again and copy the file as a whole',
  });
}
