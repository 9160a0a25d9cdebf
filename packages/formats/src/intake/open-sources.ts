/**
 * The door for every input: folder, file, zip, tar, tar.gz, gz, from disk or memory. What something is, is decided by its
 * bytes and never by its name. Archives inside archives are handed out as they are and not opened.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { ArchiveError } from './archive-error.js';
import { type Blob, fileBlob, memoryBlob } from './blob.js';
import { isLitter } from './entry-name.js';
import { listFolder } from './folder.js';
import { gunzipCapped, inflateStart } from './inflate.js';
import { DEFAULT_INTAKE_LIMITS, type IntakeLimits, unpackedCap } from './limits.js';
import { type ByteSource, bufferSource, fileSource, unreadable } from './source.js';
import { gzipFailure, spoolGunzipped } from './spool.js';
import { looksLikeTar, readTar, TAR_BLOCK } from './tar.js';
import { readZipDirectory } from './zip-directory.js';
import { zipSource } from './zip-source.js';

export type SourcesOrigin = 'folder' | 'file' | 'zip' | 'tar' | 'tar.gz' | 'gz';

export interface OpenedSources {
  readonly origin: SourcesOrigin;
  readonly sources: readonly ByteSource[];
  /** Links, devices and operating systems' litter that were left out. */
  readonly ignored: number;
  /** Ends all reading and removes temporary files; may be called more than once. */
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly limits?: Partial<IntakeLimits>;
  /** `archive`: anything but a zip, tar or tar.gz is refused (an upload that must be one). Default `any`. */
  readonly expect?: 'any' | 'archive';
  /** Name of an input that comes as bytes. */
  readonly name?: string;
}

/** How names of archives end; a file with such a name that is none is refused at once, unless it is DICOM. */
const ARCHIVE_NAME = /\.(zip|tar|tgz|gz)$/i;
const GZIP_SUFFIX = /\.(gz|tgz)$/i;
const ZIP_STARTS = [0x04034b50, 0x06054b50];
const GZIP_MAGIC = 0x8b1f;
const DICOM_MAGIC_AT = 128;

/** Throws ArchiveError. The caller closes what it gets, also after its own failure. */
export async function openSources(input: string | Uint8Array, options: OpenOptions = {}): Promise<OpenedSources> {
  const limits = { ...DEFAULT_INTAKE_LIMITS, ...options.limits };
  if (typeof input !== 'string') return openBlob(memoryBlob(input), { ...options, bytes: input }, limits);
  const stats = await stat(input).catch((cause) => {
    throw unreadable(cause);
  });
  if (stats.isDirectory()) return { origin: 'folder', ...(await listFolder(input, limits)), close: async () => {} };
  if (!stats.isFile())
    throw new ArchiveError('unreadable', 'The input is neither a file nor a folder', { next: 'Check the path.' });
  const file = await open(input, 'r').catch((cause) => {
    throw unreadable(cause);
  });
  return openFile(file, input, stats.size, options, limits);
}

async function openFile(file: FileHandle, path: string, size: number, options: OpenOptions, limits: IntakeLimits) {
  const blob = fileBlob(file, size);
  try {
    const opened = await openBlob(blob, { name: basename(path), ...options, path }, limits);
    // Only zip and tar read through this handle later on.
    if (opened.origin !== 'zip' && opened.origin !== 'tar') await blob.close();
    return opened;
  } catch (error) {
    await blob.close();
    throw error;
  }
}

interface Place extends OpenOptions {
  readonly path?: string;
  readonly bytes?: Uint8Array;
}

async function openBlob(blob: Blob, place: Place, limits: IntakeLimits): Promise<OpenedSources> {
  const start = await blob.read(0, Math.min(blob.size, TAR_BLOCK));
  if (start.length >= 4 && ZIP_STARTS.includes(start.readUInt32LE(0))) return openZip(blob, limits);
  if (looksLikeTar(start)) return openTar(blob, 'tar', limits);
  if (start.length >= 2 && start.readUInt16LE(0) === GZIP_MAGIC) return openGzip(blob, place, limits);
  const name = place.name ?? 'input';
  const dicom = start.toString('latin1', DICOM_MAGIC_AT, DICOM_MAGIC_AT + 4) === 'DICM';
  if (place.expect === 'archive' || (ARCHIVE_NAME.test(name) && !dicom)) throw notAnArchive();
  if (blob.size > limits.maxEntryBytes) throw tooLarge(blob.size, limits);
  const source =
    place.path === undefined
      ? bufferSource(place.bytes ?? new Uint8Array(0), name)
      : fileSource(place.path, blob.size, name);
  return { origin: 'file', sources: [source], ignored: 0, close: async () => {} };
}

function notAnArchive(): ArchiveError {
  return new ArchiveError('not-an-archive', 'This is not a zip, tar or gzip file, whatever its name says', {
    where: 'first bytes',
    next: 'Pack the files of the study into a zip, or give them as they are.',
  });
}

function tooLarge(size: number, limits: IntakeLimits): ArchiveError {
  return new ArchiveError('entry-too-large', `The file has ${size} bytes`, {
    next: `At most ${limits.maxEntryBytes} are allowed: raise the limit maxEntryBytes if you trust the sender.`,
  });
}

async function openZip(blob: Blob, limits: IntakeLimits): Promise<OpenedSources> {
  const entries = await readZipDirectory(blob, limits);
  const wanted = entries.filter((entry) => !isLitter(entry.name));
  return filled({
    origin: 'zip',
    sources: wanted.map((entry) => zipSource(blob, entry)),
    ignored: entries.length - wanted.length,
    close: () => blob.close(),
  });
}

async function openTar(blob: Blob, origin: 'tar' | 'tar.gz', limits: IntakeLimits): Promise<OpenedSources> {
  return filled({ origin, ...(await readTar(blob, limits)), close: () => blob.close() });
}

function filled(opened: OpenedSources): OpenedSources {
  if (opened.sources.length === 0)
    throw new ArchiveError('empty-archive', 'The archive holds no files', {
      next: 'Pack the files of the study into it.',
    });
  return opened;
}

/** Enough packed bytes to see the first 512 unpacked ones behind a gzip header with a long file name. */
const GZIP_SNIFF_BYTES = 4096;

async function openGzip(blob: Blob, place: Place, limits: IntakeLimits): Promise<OpenedSources> {
  const sniff = await blob.read(0, Math.min(blob.size, GZIP_SNIFF_BYTES));
  const inner = await inflateStart(sniff.subarray(gzipHeaderBytes(sniff)), TAR_BLOCK).catch((cause) => {
    throw gzipFailure(cause);
  });
  if (looksLikeTar(inner)) {
    const input =
      place.path === undefined ? Readable.from([place.bytes ?? Buffer.alloc(0)]) : createReadStream(place.path);
    const spool = await spoolGunzipped(input, unpackedCap(blob.size, limits, limits.maxTotalBytes));
    return openTar(spool, 'tar.gz', limits).catch(async (error) => {
      await spool.close();
      throw error;
    });
  }
  if (place.expect === 'archive') throw notAnArchive();
  if (blob.size > limits.maxEntryBytes) throw tooLarge(blob.size, limits);
  const bytes = await gunzipBytes(await blob.read(0, blob.size), limits);
  const name = (place.name ?? 'input').replace(GZIP_SUFFIX, '');
  return { origin: 'gz', sources: [bufferSource(bytes, name)], ignored: 0, close: async () => {} };
}

/** 258 bytes from 2 bits: the most that deflate can do. */
const DEFLATE_MAX_RATIO = 1032;

/** Unpacks one gzip file in memory, under the limits. Throws ArchiveError. */
export async function gunzipBytes(
  packed: Uint8Array,
  limits: IntakeLimits = DEFAULT_INTAKE_LIMITS,
): Promise<Uint8Array> {
  const cap = unpackedCap(packed.byteLength, limits, limits.maxEntryBytes);
  // The last four bytes announce the size modulo 2^32 (RFC 1952). What deflate cannot reach is a cut or forged file.
  const announced =
    packed.byteLength >= 4
      ? new DataView(packed.buffer, packed.byteOffset, packed.byteLength).getUint32(packed.byteLength - 4, true)
      : 0;
  const hint = announced <= packed.byteLength * DEFLATE_MAX_RATIO ? announced : 0;
  const bomb = (cause?: unknown) =>
    new ArchiveError('ratio-exceeded', `The gzip file unpacks to more than ${cap} bytes`, {
      next: 'Do not trust this file; if it is yours, raise the limits maxRatio and maxEntryBytes.',
      cause,
    });
  // True or a lie that zlib would find at the end: either way nothing need be unpacked.
  if (hint > cap) throw bomb();
  try {
    return await gunzipCapped(packed, hint, cap);
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? bomb(cause) : gzipFailure(cause);
  }
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** RFC 1952 2.3: fixed 10 bytes, then extra field, name, comment and header CRC as the flags say. */
function gzipHeaderBytes(start: Buffer): number {
  const flags = start[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + (at + 2 <= start.length ? start.readUInt16LE(at) : 0);
  for (const flag of [8, 16])
    if (flags & flag) {
      const end = start.indexOf(0, at);
      at = end < 0 ? start.length : end + 1;
    }
  return flags & 2 ? at + 2 : at;
}
