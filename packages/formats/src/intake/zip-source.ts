/** One entry of a zip as a ByteSource: its local header is compared with the directory, its bytes with the CRC-32. */
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { ArchiveError } from './archive-error.js';
import type { Blob } from './blob.js';
import { inflateExactly, inflateStart } from './inflate.js';
import { type ByteSource, displayName } from './source.js';
import {
  FLAG_DESCRIPTOR,
  LOCAL_HEADER_BYTES,
  LOCAL_HEADER_SIGNATURE,
  METHOD_STORED,
  type ZipEntry,
} from './zip-directory.js';

/** Local extra fields are mostly below this (timestamps, owner): header and data then come in one read. */
const USUAL_EXTRA_BYTES = 64;
/** Deflate's own cost on bytes that do not pack: block headers, 5 bytes per 16 KiB at worst. */
const DEFLATE_OVERHEAD = 512;

const AGAIN = 'Copy, upload or pack the archive again.';

export function zipSource(blob: Blob, entry: ZipEntry): ByteSource {
  return Object.freeze({
    name: displayName(entry.name),
    size: entry.unpackedBytes,
    prefix: (count: number) => readPrefix(blob, entry, Math.min(count, entry.unpackedBytes)),
    read: () => readWhole(blob, entry),
  });
}

async function readWhole(blob: Blob, entry: ZipEntry): Promise<Uint8Array> {
  const packed = await packedBytes(blob, entry, entry.packedBytes);
  const bytes = entry.method === METHOD_STORED ? packed : await inflateEntry(packed, entry);
  if ((await crcOf(bytes)) !== entry.crc32)
    throw new ArchiveError('crc-mismatch', 'The bytes of an entry do not match their checksum', {
      where: `entry ${entry.position}`,
      next: AGAIN,
    });
  return bytes;
}

/** Some milliseconds of work: weights of 600 MB at once would hold a server's event loop for a second. */
const CRC_STEP = 8 * 1024 * 1024;

async function crcOf(bytes: Uint8Array): Promise<number> {
  let crc = 0;
  for (let at = 0; at < bytes.byteLength; at += CRC_STEP) {
    if (at > 0) await setImmediate();
    crc = crc32(bytes.subarray(at, at + CRC_STEP), crc);
  }
  return crc;
}

async function readPrefix(blob: Blob, entry: ZipEntry, count: number): Promise<Uint8Array> {
  if (count === 0) return new Uint8Array(0);
  if (entry.method === METHOD_STORED) return packedBytes(blob, entry, count);
  const packed = await packedBytes(blob, entry, Math.min(entry.packedBytes, count + DEFLATE_OVERHEAD));
  try {
    return await inflateStart(packed, count);
  } catch (cause) {
    throw inflateFailure(cause, entry);
  }
}

async function inflateEntry(packed: Buffer, entry: ZipEntry): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await inflateExactly(packed, entry.unpackedBytes);
  } catch (cause) {
    throw inflateFailure(cause, entry);
  }
  if (bytes.length !== entry.unpackedBytes) throw wrongSize(entry);
  return bytes;
}

function inflateFailure(cause: unknown, entry: ZipEntry): ArchiveError {
  if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return wrongSize(entry);
  return new ArchiveError('corrupt', 'The compressed bytes of an entry are damaged', {
    where: `entry ${entry.position}`,
    next: AGAIN,
    cause,
  });
}

function wrongSize(entry: ZipEntry): ArchiveError {
  return new ArchiveError(
    'size-mismatch',
    `An entry does not unpack to the ${entry.unpackedBytes} bytes it announces`,
    {
      where: `entry ${entry.position}`,
      next: AGAIN,
    },
  );
}

/** The first `count` packed bytes of the entry, after its local header has been checked. */
async function packedBytes(blob: Blob, entry: ZipEntry, count: number): Promise<Buffer> {
  const available = entry.endLimit - entry.headerOffset;
  const guess = LOCAL_HEADER_BYTES + entry.rawName.length + USUAL_EXTRA_BYTES + count;
  const start = await blob.read(entry.headerOffset, Math.min(available, guess));
  const dataStart = checkLocalHeader(start, entry);
  if (dataStart + entry.packedBytes > available)
    throw new ArchiveError('overlapping-entries', 'Entries of the zip share the same bytes', {
      where: `entry ${entry.position}`,
      next: 'Do not trust this archive. If it is yours, it is damaged: pack it again.',
    });
  if (dataStart + count <= start.length) return start.subarray(dataStart, dataStart + count);
  return blob.read(entry.headerOffset + dataStart, count);
}

function checkLocalHeader(header: Buffer, entry: ZipEntry): number {
  const nameEnd = LOCAL_HEADER_BYTES + entry.rawName.length;
  const same =
    header.length >= nameEnd &&
    header.readUInt32LE(0) === LOCAL_HEADER_SIGNATURE &&
    header.readUInt16LE(8) === entry.method &&
    header.readUInt16LE(26) === entry.rawName.length &&
    header.subarray(LOCAL_HEADER_BYTES, nameEnd).equals(entry.rawName) &&
    // With a data descriptor, CRC and sizes are behind the data and zero here.
    (header.readUInt16LE(6) & FLAG_DESCRIPTOR || header.readUInt32LE(14) === entry.crc32);
  if (!same)
    throw new ArchiveError('corrupt', 'An entry and the directory of the zip contradict each other', {
      where: `entry ${entry.position}`,
      next: AGAIN,
    });
  return nameEnd + header.readUInt16LE(28);
}
