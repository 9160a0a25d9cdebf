/**
 * The one form in which a bundle is stored: a zip of uncompressed entries in the order of their names, without times or
 * modes, so that the same bundle is the same bytes, and the same SHA-256, on every machine. Written out here because that
 * hash is a model's identity: no other version of a zip library may ever change it. Format: PKWARE APPNOTE 4.3.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { RegistryError } from './registry-error.js';

export interface ZipPart {
  readonly name: string;
  /** A file on this machine, or the bytes. */
  readonly from: string | Uint8Array;
  readonly bytes: number;
  readonly crc32: number;
}

/** An exported model holds this zip as one entry, and the reader of formats takes less than 2 GiB for one. */
export const MAXIMUM_ZIP_BYTES = 2 ** 31 - 2 ** 20;
const LOCAL_HEADER = 30;
const DIRECTORY_ENTRY = 46;
const DIRECTORY_END = 22;
/** 1 January 1980, 00:00: the zero of DOS time. */
const DOS_DATE = 0x0021;
const VERSION_NEEDED = 10;

/** Throws RegistryError `too-large`. */
export function zipBytesOf(parts: readonly ZipPart[]): number {
  const total = parts.reduce(
    (sum, { name, bytes }) => sum + LOCAL_HEADER + DIRECTORY_ENTRY + 2 * Buffer.byteLength(name) + bytes,
    DIRECTORY_END,
  );
  if (total > MAXIMUM_ZIP_BYTES)
    throw new RegistryError('too-large', `The bundle has ${total} bytes; at most ${MAXIMUM_ZIP_BYTES} are stored`, {
      next: 'Leave out weights that inference does not need (checkpoints, other formats)',
    });
  return total;
}

/** The bytes; names must be unique and in ASCII. Throws RegistryError `too-large`, and when a file changed meanwhile. */
export async function* canonicalZip(parts: readonly ZipPart[]): AsyncGenerator<Uint8Array> {
  zipBytesOf(parts);
  const sorted = [...parts].sort((a, b) => (a.name < b.name ? -1 : 1));
  const directory: Buffer[] = [];
  let offset = 0;
  for (const part of sorted) {
    const name = Buffer.from(part.name, 'latin1');
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(VERSION_NEEDED, 0);
    fields.writeUInt16LE(DOS_DATE, 8);
    fields.writeUInt32LE(part.crc32, 10);
    fields.writeUInt32LE(part.bytes, 14);
    fields.writeUInt32LE(part.bytes, 18);
    fields.writeUInt16LE(name.length, 22);
    yield Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name]);
    yield* bytesOf(part);
    const entry = Buffer.alloc(DIRECTORY_ENTRY);
    entry.write('PK\x01\x02', 0, 'latin1');
    entry.writeUInt16LE(VERSION_NEEDED, 4);
    fields.copy(entry, 6);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, name);
    offset += LOCAL_HEADER + name.length + part.bytes;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(DIRECTORY_END);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(sorted.length, 8);
  end.writeUInt16LE(sorted.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  yield Buffer.concat([list, end]);
}

async function* bytesOf(part: ZipPart): AsyncGenerator<Uint8Array> {
  if (typeof part.from !== 'string') {
    yield part.from;
    return;
  }
  let seen = 0;
  for await (const chunk of createReadStream(part.from) as AsyncIterable<Buffer>) {
    seen += chunk.length;
    yield chunk;
  }
  if (seen !== part.bytes)
    throw new RegistryError('checksum-mismatch', 'A file of the bundle changed while it was being stored', {
      where: part.name,
      next: 'Wait until the bundle is complete, then add it again',
    });
}

/** Hash of what `canonicalZip` gives, without keeping it. */
export async function hashOfZip(
  parts: readonly ZipPart[],
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  for await (const chunk of canonicalZip(parts)) hash.update(chunk);
  return { sha256: hash.digest('hex'), bytes: zipBytesOf(parts) };
}
