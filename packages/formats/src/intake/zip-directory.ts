/**
 * The directory of a zip (PKWARE APPNOTE 4.3 to 4.5), read in two reads and believed in nothing: every offset and size
 * is checked against the file, the limits and the other entries before a byte is unpacked. Own code rather than yauzl,
 * because that makes two reads per entry and tells its errors apart only by their text; the tests compare with it.
 */
import { ArchiveError } from './archive-error.js';
import type { Blob } from './blob.js';
import { checkEntryName } from './entry-name.js';
import { type IntakeLimits, ratioExceeded } from './limits.js';

export const LOCAL_HEADER_SIGNATURE = 0x04034b50;
export const LOCAL_HEADER_BYTES = 30;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
/** The comment's length is a 16-bit field. */
const MAX_COMMENT_BYTES = 0xffff;
/** Fields with these values are found in the zip64 extra field (APPNOTE 4.5.3). */
const IN_ZIP64_16 = 0xffff;
const IN_ZIP64_32 = 0xffffffff;
const ZIP64_EXTRA = 0x0001;
/** General purpose flags (APPNOTE 4.4.4). */
export const FLAG_ENCRYPTED = 1;
export const FLAG_DESCRIPTOR = 1 << 3;
const FLAG_STRONG_ENCRYPTION = 1 << 6;
const FLAG_UTF8 = 1 << 11;
export const METHOD_STORED = 0;
export const METHOD_DEFLATED = 8;
const METHOD_AES = 99;

export interface ZipEntry {
  /** Counts from 1, as messages do. */
  readonly position: number;
  readonly name: string;
  readonly rawName: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly headerOffset: number;
  /** First byte that belongs to the next entry or to the directory: this entry's data must end before it. */
  readonly endLimit: number;
}

interface DirectoryPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
}

const AGAIN = 'The file is cut short or damaged: copy, upload or pack it again.';

function corrupt(message: string, where: string): ArchiveError {
  return new ArchiveError('corrupt', message, { where, next: AGAIN });
}

/** Entries in the order of the directory, folders left out. Throws ArchiveError; allocates at most `maxDirectoryBytes`. */
export async function readZipDirectory(blob: Blob, limits: IntakeLimits): Promise<ZipEntry[]> {
  const place = await findDirectory(blob);
  if (place.count > limits.maxEntries)
    throw new ArchiveError('too-many-entries', `The zip has ${place.count} entries; ${limits.maxEntries} are allowed`, {
      next: 'Send one study at a time, or raise the limit maxEntries.',
    });
  if (place.count === 0)
    throw new ArchiveError('empty-archive', 'The zip is empty', { next: 'Pack the files of the study into it.' });
  if (place.bytes > limits.maxDirectoryBytes)
    throw new ArchiveError('too-many-entries', `The zip's directory has ${place.bytes} bytes`, {
      next: `At most ${limits.maxDirectoryBytes} are allowed: use shorter names or fewer files.`,
    });
  if (place.count * CENTRAL_BYTES > place.bytes)
    throw corrupt(`${place.count} entries do not fit into a directory of ${place.bytes} bytes`, 'end of the zip');
  const directory = await blob.read(place.offset, place.bytes);
  const entries = parseEntries(directory, place);
  checkSizes(entries, limits);
  return withoutOverlap(entries, place.offset).filter((entry) => !entry.name.endsWith('/'));
}

async function findDirectory(blob: Blob): Promise<DirectoryPlace> {
  const tailBytes = Math.min(blob.size, END_BYTES + MAX_COMMENT_BYTES + LOCATOR_BYTES);
  const tailStart = blob.size - tailBytes;
  const tail = await blob.read(tailStart, tailBytes);
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    if (!endsHere(tail, at)) continue;
    const { end, ...place } = await zip64Place(blob, tail, at, tailStart);
    // Exactly, or the end record of one archive could name the directory of another that stands in front of it.
    if (place.offset + place.bytes !== end)
      throw corrupt("The zip's directory is not where its end says", `byte ${place.offset}`);
    return place;
  }
  throw new ArchiveError('truncated', 'The zip has no directory at its end: it is cut short', { next: AGAIN });
}

/**
 * The comment must reach the end of the file; else two readers could see two different archives in one file. Line ends,
 * blanks and zeros behind it are tolerated: careless uploads and disk padding leave them, and they cannot hide an archive.
 */
function endsHere(tail: Buffer, at: number): boolean {
  const end = at + END_BYTES + tail.readUInt16LE(at + 20);
  return end <= tail.length && tail.subarray(end).every((byte) => PADDING.has(byte));
}

const PADDING = new Set([0x00, 0x0a, 0x0d, 0x20]);

/** `end`: where the directory must end, because an end record begins there. */
async function zip64Place(blob: Blob, tail: Buffer, at: number, tailStart: number) {
  const short = {
    end: tailStart + at,
    count: tail.readUInt16LE(at + 10),
    bytes: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  const locator = at - LOCATOR_BYTES;
  const zip64 = locator >= 0 && tail.readUInt32LE(locator) === LOCATOR_SIGNATURE;
  const disks = [tail.readUInt16LE(at + 4), tail.readUInt16LE(at + 6)];
  if (disks.some((disk) => disk !== 0 && !(zip64 && disk === IN_ZIP64_16)) || tail.readUInt16LE(at + 8) !== short.count)
    throw new ArchiveError('multi-disk', 'The zip is one part of several', { next: 'Join the parts into one zip.' });
  if (!zip64) return short;
  const offset64 = bigOffset(tail, locator + 8, 'zip64 locator');
  const end64 = await blob.read(offset64, END64_BYTES);
  if (end64.readUInt32LE(0) !== END64_SIGNATURE || offset64 + END64_BYTES > tailStart + locator)
    throw corrupt('The zip64 end record is missing', `byte ${offset64}`);
  return {
    end: offset64,
    count: bigOffset(end64, 32, 'zip64 entry count'),
    bytes: bigOffset(end64, 40, 'zip64 directory size'),
    offset: bigOffset(end64, 48, 'zip64 directory offset'),
  };
}

function bigOffset(buffer: Buffer, at: number, where: string): number {
  const value = buffer.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt(`A size of ${value} bytes is impossible`, where);
  return Number(value);
}

function parseEntries(directory: Buffer, place: DirectoryPlace): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let position = 1; position <= place.count; position++) {
    if (at + CENTRAL_BYTES > directory.length || directory.readUInt32LE(at) !== CENTRAL_SIGNATURE)
      throw corrupt('The directory of the zip is damaged', `entry ${position}`);
    const nameEnd = at + CENTRAL_BYTES + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const end = extraEnd + directory.readUInt16LE(at + 32);
    if (end > directory.length) throw corrupt('A name runs past the directory of the zip', `entry ${position}`);
    entries.push(parseEntry(directory, at, nameEnd, directory.subarray(nameEnd, extraEnd), position));
    at = end;
  }
  return entries;
}

function parseEntry(directory: Buffer, at: number, nameEnd: number, extra: Buffer, position: number): ZipEntry {
  const flags = directory.readUInt16LE(at + 8);
  const method = directory.readUInt16LE(at + 10);
  const rawName = directory.subarray(at + CENTRAL_BYTES, nameEnd);
  if (flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION) || method === METHOD_AES)
    throw new ArchiveError('encrypted', 'The zip is encrypted', {
      where: `entry ${position}`,
      next: 'Send it without a password, over an encrypted connection.',
    });
  if (method !== METHOD_STORED && method !== METHOD_DEFLATED)
    throw new ArchiveError('unsupported-compression', `Compression method ${method} is not supported`, {
      where: `entry ${position}`,
      next: 'Pack with plain "deflate", which every zip program offers.',
    });
  const sizes = wideSizes(directory, at, extra, position);
  if (method === METHOD_STORED && sizes.packedBytes !== sizes.unpackedBytes)
    throw new ArchiveError('size-mismatch', 'A stored entry announces two different sizes', {
      where: `entry ${position}`,
      next: AGAIN,
    });
  return {
    position,
    // Without the flag the code page is 437 by the standard and anything in practice: latin1 loses no byte.
    name: checkEntryName(rawName.toString(flags & FLAG_UTF8 ? 'utf8' : 'latin1'), position),
    rawName,
    flags,
    method,
    crc32: directory.readUInt32LE(at + 16),
    ...sizes,
    endLimit: 0,
  };
}

function wideSizes(directory: Buffer, at: number, extra: Buffer, position: number) {
  let unpackedBytes = directory.readUInt32LE(at + 24);
  let packedBytes = directory.readUInt32LE(at + 20);
  let headerOffset = directory.readUInt32LE(at + 42);
  if (unpackedBytes === IN_ZIP64_32 || packedBytes === IN_ZIP64_32 || headerOffset === IN_ZIP64_32) {
    const wide = zip64Extra(extra);
    let cursor = 0;
    const take = () => {
      if (!wide || cursor + 8 > wide.length) throw corrupt('A zip64 size is missing', `entry ${position}`);
      cursor += 8;
      return bigOffset(wide, cursor - 8, `entry ${position}`);
    };
    // Present only for fields that are saturated, in this order (APPNOTE 4.5.3).
    if (unpackedBytes === IN_ZIP64_32) unpackedBytes = take();
    if (packedBytes === IN_ZIP64_32) packedBytes = take();
    if (headerOffset === IN_ZIP64_32) headerOffset = take();
  }
  return { unpackedBytes, packedBytes, headerOffset };
}

function zip64Extra(extra: Buffer): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === ZIP64_EXTRA) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  return undefined;
}

function checkSizes(entries: readonly ZipEntry[], limits: IntakeLimits): void {
  let unpacked = 0;
  let packed = 0;
  for (const entry of entries) {
    unpacked += entry.unpackedBytes;
    packed += entry.packedBytes;
    if (entry.unpackedBytes > limits.maxEntryBytes)
      throw new ArchiveError('entry-too-large', `An entry unpacks to ${entry.unpackedBytes} bytes`, {
        where: `entry ${entry.position}`,
        next: `At most ${limits.maxEntryBytes} are allowed: raise the limit maxEntryBytes if you trust the sender.`,
      });
  }
  if (unpacked > limits.maxTotalBytes)
    throw new ArchiveError('total-too-large', `The zip unpacks to ${unpacked} bytes`, {
      next: `At most ${limits.maxTotalBytes} are allowed: send one study at a time, or raise the limit maxTotalBytes.`,
    });
  if (ratioExceeded(unpacked, packed, limits))
    throw new ArchiveError('ratio-exceeded', `The zip would grow from ${packed} to ${unpacked} bytes: a zip bomb`, {
      next: 'Do not trust this archive; if it is yours, raise the limit maxRatio.',
    });
}

/** Sets `endLimit` of each entry; throws when two entries share bytes or one reaches into the directory. */
function withoutOverlap(entries: readonly ZipEntry[], directoryOffset: number): ZipEntry[] {
  const byOffset = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  const limitOf = new Map<number, number>();
  byOffset.forEach((entry, index) => {
    const endLimit = byOffset[index + 1]?.headerOffset ?? directoryOffset;
    if (entry.headerOffset + LOCAL_HEADER_BYTES + entry.rawName.length + entry.packedBytes > endLimit)
      throw new ArchiveError('overlapping-entries', 'Entries of the zip share the same bytes', {
        where: `entry ${entry.position}`,
        next: 'Do not trust this archive. If it is yours, it is damaged: pack it again.',
      });
    limitOf.set(entry.position, endLimit);
  });
  return entries.map((entry) => ({ ...entry, endLimit: limitOf.get(entry.position) ?? directoryOffset }));
}
