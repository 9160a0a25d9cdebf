/** A backup file opened and proven: every part is there, whole, and has its hash, before anybody uses one of them. */
import { createHash } from 'node:crypto';
import { type ByteSource, openSources } from '@isocenter/formats';
import { isFailure } from '@isocenter/volume';
import { StateError } from '../state-error.js';
import { MANIFEST, MANIFEST_HASH, type Manifest, manifestSchema, type Part } from './manifest.js';

export interface OpenedBackup {
  readonly manifest: Manifest;
  /** Checked again as it is read. */
  readonly read: (part: Part) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
}

/** Ours, given by an administrator: as many and as large entries as the writer makes. */
const limits = {
  maxEntries: 10_000_000,
  maxTotalBytes: Number.MAX_SAFE_INTEGER,
  maxRatio: Number.MAX_SAFE_INTEGER,
  maxDirectoryBytes: 2 ** 31 - 1,
};

/** Throws StateError `bad-backup`. */
export async function openBackup(path: string): Promise<OpenedBackup> {
  const opened = await openSources(path, { expect: 'archive', limits }).catch((cause) => {
    throw bad(cause);
  });
  const sources = new Map(opened.sources.map((source) => [source.name, source]));
  const find = (name: string): ByteSource => {
    const source = sources.get(name);
    if (source) return source;
    throw new StateError('bad-backup', 'A part of the backup is missing.', { where: name, next: NEXT });
  };
  const read = async (part: Part): Promise<Uint8Array> => {
    const source = find(part.name);
    const bytes =
      source.size === part.bytes
        ? await source.read().catch((cause) => Promise.reject(bad(cause, part.name)))
        : undefined;
    if (bytes && sha256(bytes) === part.sha256) return bytes;
    throw new StateError('bad-backup', 'A part of the backup is not what was written.', {
      where: part.name,
      next: NEXT,
    });
  };
  try {
    const manifest = await readManifest(find);
    for (const { parts } of [...manifest.tables, ...manifest.blobs]) for (const part of parts) await read(part);
    for (const { id, parts, bytes } of manifest.blobs) {
      if (parts.reduce((sum, part) => sum + part.bytes, 0) !== bytes) {
        throw new StateError('bad-backup', 'A blob of the backup has the wrong size.', { where: id, next: NEXT });
      }
    }
    return { manifest, read, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

const NEXT = 'Copy the file again, or use another backup.';

function bad(cause: unknown, where?: string): StateError {
  const reason = isFailure(cause) ? cause.message : 'it cannot be read';
  return new StateError('bad-backup', `This is not a whole backup: ${reason}`, { where, next: NEXT, cause });
}

async function readManifest(find: (name: string) => ByteSource): Promise<Manifest> {
  const [bytes, hash] = await Promise.all([find(MANIFEST).read(), find(MANIFEST_HASH).read()]).catch((cause) => {
    throw bad(cause, MANIFEST);
  });
  let value: unknown;
  try {
    if (sha256(bytes) !== Buffer.from(hash).toString()) throw new Error('wrong hash');
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new StateError('bad-backup', 'The manifest of the backup is not what was written.', {
      where: MANIFEST,
      next: NEXT,
      cause,
    });
  }
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  throw new StateError('bad-backup', 'This backup is of a kind that this version does not know.', {
    where: `${MANIFEST} ${result.error.issues[0]?.path.join('.')}`,
    next: 'Use the version of Isocenter that wrote it, or a newer one.',
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
