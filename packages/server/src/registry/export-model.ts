/** Writes one version as one file (export-format.ts), through a hidden neighbour, so that a half file never has the name. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { canonicalZip, type ZipPart } from './canonical-zip.js';
import {
  BUNDLE,
  EXPORT_FORMAT,
  EXPORT_KIND,
  type ExportedFields,
  MANIFEST,
  MODULE,
  REGISTRY_FIELDS,
} from './export-format.js';
import type { ModelFamily, ModelVersion } from './model.js';
import { mismatch } from './model-cache.js';
import { readFamily, rowOf, versionsOf } from './read-models.js';
import type { RegistryContext } from './registry-context.js';
import type { VersionRow } from './rows.js';
import { shippedParts } from './shipped-models.js';

interface MeasuredPart extends ZipPart {
  readonly sha256: string;
}

/** Throws RegistryError `not-found`, `checksum-mismatch`; then nothing stands at `path`. */
export async function exportVersion(context: RegistryContext, id: string, path: string): Promise<void> {
  const row = await rowOf(context.db, id);
  const [version] = await versionsOf(context.db, [row]);
  const family = (await readFamily(context.db, row.family_id)) as ModelFamily;
  const part = `${path}.${randomUUID()}.part`;
  const temporary = [`${part}.bundle`];
  const done: (() => Promise<void>)[] = [];
  try {
    const parts = [
      await bundlePart(context, row, temporary[0], done),
      measured(REGISTRY_FIELDS, Buffer.from(JSON.stringify(fieldsOf(family, version), null, 2))),
    ];
    if (row.module_blob_id !== null) {
      const file = await context.blobs.toFile(row.module_blob_id);
      done.push(() => file.done());
      parts.push(await measuredFile(MODULE, file.path));
    }
    const files = Object.fromEntries(parts.map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }]));
    const manifest = { kind: EXPORT_KIND, format: EXPORT_FORMAT, files };
    const all = [measured(MANIFEST, Buffer.from(JSON.stringify(manifest, null, 2))), ...parts];
    await pipeline(canonicalZip(all), createWriteStream(part, { mode: 0o600, flags: 'wx', flush: true }));
    await rename(part, path);
  } finally {
    for (const step of done) await step();
    for (const file of [part, ...temporary]) await rm(file, { force: true });
  }
}

async function bundlePart(
  { blobs, shippedModels }: RegistryContext,
  row: VersionRow,
  temporary: string,
  done: (() => Promise<void>)[],
): Promise<MeasuredPart> {
  let path = temporary;
  if (row.blob_id === null)
    await pipeline(canonicalZip(await shippedParts(shippedModels, row)), createWriteStream(path, { mode: 0o600 }));
  else {
    const file = await blobs.toFile(row.blob_id);
    done.push(() => file.done());
    path = file.path;
  }
  const part = await measuredFile(BUNDLE, path);
  if (part.sha256 !== row.sha256) throw mismatch(`The stored bundle of ${row.address}`, part.sha256, row.sha256);
  return part;
}

function fieldsOf(family: ModelFamily, version: ModelVersion): ExportedFields {
  const { id: _id, createdAt: _created, updatedAt: _updated, hasProtobuf: _protobuf, ...fields } = family;
  const { versionId, description, createdOn, creditsRequired, majorVersion, minorVersion } = version;
  const { languageCode, regulatoryFrameworks, structures, state, pythonModule } = version;
  return {
    family: fields,
    version: {
      versionId,
      description,
      createdOn: createdOn.toISOString(),
      creditsRequired,
      majorVersion,
      minorVersion,
      languageCode,
      regulatoryFrameworks,
    },
    state,
    structures: structures.map(({ type, fmaCode, inputChannelId, structureId }) => ({
      type,
      fmaCode,
      inputChannelId,
      structureId,
    })),
    module: pythonModule ? { name: pythonModule.name } : null,
  };
}

function measured(name: string, bytes: Uint8Array): MeasuredPart {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, from: bytes, bytes: bytes.byteLength, crc32: crc32(bytes), sha256 };
}

async function measuredFile(name: string, path: string): Promise<MeasuredPart> {
  const hash = createHash('sha256');
  let bytes = 0;
  let crc = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    crc = crc32(chunk, crc);
    bytes += chunk.length;
  }
  return { name, from: path, bytes, crc32: crc, sha256: hash.digest('hex') };
}
