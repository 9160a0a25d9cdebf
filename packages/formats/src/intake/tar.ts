/** Tar (POSIX pax, ustar, GNU long names, old V7): headers are walked once, data stays where it is until it is read. */
import { ArchiveError } from './archive-error.js';
import type { Blob } from './blob.js';
import { checkEntryName, isLitter } from './entry-name.js';
import type { IntakeLimits } from './limits.js';
import { type ByteSource, displayName } from './source.js';

export const TAR_BLOCK = 512;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;
/** Names and pax records longer than this are nobody's file name. */
const MAX_META_BYTES = 1 << 20;

export interface TarListing {
  readonly sources: ByteSource[];
  readonly ignored: number;
}

/** True when the first 512 bytes carry a valid header checksum (which every tar has, also those without "ustar"). */
export function looksLikeTar(start: Uint8Array): boolean {
  if (start.length < TAR_BLOCK || start[0] === 0) return false;
  const header = Buffer.from(start.buffer, start.byteOffset, TAR_BLOCK);
  return octal(header, CHECKSUM_AT, CHECKSUM_BYTES) === checksum(header);
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < TAR_BLOCK; i++) sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_BYTES ? 0x20 : header[i];
  return sum;
}

/** Octal digits, or GNU's base-256 for sizes from 8 GiB; NaN when neither. */
function octal(header: Buffer, at: number, length: number): number {
  if (header[at] & 0x80) {
    let value = header[at] & 0x7f;
    for (let i = at + 1; i < at + length; i++) value = value * 256 + header[i];
    return value;
  }
  const text = text8(header, at, length).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : Number.NaN;
}

function text8(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

interface Pending {
  path?: string;
  size?: number;
}

/** Throws ArchiveError; memory is bounded by the number of entries and `MAX_META_BYTES`. */
export async function readTar(blob: Blob, limits: IntakeLimits): Promise<TarListing> {
  const sources: ByteSource[] = [];
  let ignored = 0;
  let pending: Pending = {};
  let total = 0;
  let ended = false;
  let position = 0;
  for (let at = 0; at + TAR_BLOCK <= blob.size; ) {
    const header = await blob.read(at, TAR_BLOCK);
    if (header.every((byte) => byte === 0)) {
      ended = true;
      break;
    }
    position++;
    // Counts every header, so that a million folders or pax records are refused as well.
    if (position > limits.maxEntries * 2) throw tooMany(limits);
    if (octal(header, CHECKSUM_AT, CHECKSUM_BYTES) !== checksum(header)) throw damaged(at);
    const type = String.fromCharCode(header[156] || 0x30);
    const size = pending.size ?? octal(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0) throw damaged(at);
    const dataAt = at + TAR_BLOCK;
    if (dataAt + size > blob.size) throw cutShort(dataAt);
    at = dataAt + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;

    if (type === 'x' || type === 'L') {
      if (size > MAX_META_BYTES) throw damaged(dataAt);
      const record = await blob.read(dataAt, size);
      pending = { ...pending, ...(type === 'x' ? paxRecords(record, dataAt) : { path: text8(record, 0, size) }) };
      continue;
    }
    if (type === 'g' || type === 'K') continue;
    const name = checkEntryName(pending.path ?? ustarName(header), position);
    pending = {};
    if (type === '0' || type === '7') {
      if (isLitter(name)) ignored++;
      else sources.push(tarSource(blob, name, dataAt, size));
      if (sources.length > limits.maxEntries) throw tooMany(limits);
      total += size;
      checkSize(size, total, position, limits);
    } else if (type === 'S') throw sparse(position);
    // Links and devices have no bytes of their own and are never followed.
    else if (type !== '5') ignored++;
  }
  if (!ended) throw cutShort(blob.size);
  return { sources, ignored };
}

function ustarName(header: Buffer): string {
  const prefix = header.toString('latin1', 257, 262) === 'ustar' && header[263] !== 0x20 ? text8(header, 345, 155) : '';
  const name = text8(header, 0, 100);
  return prefix ? `${prefix}/${name}` : name;
}

/** Records "LENGTH KEY=VALUE\n"; only `path` and `size` matter here. */
function paxRecords(record: Buffer, where: number): Pending {
  const found: Pending = {};
  for (let at = 0; at < record.length; ) {
    const space = record.indexOf(0x20, at);
    const length = Number(record.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length) || length <= space - at || at + length > record.length)
      throw damaged(where);
    const [key, value] = splitOnce(record.toString('utf8', space + 1, at + length - 1));
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    at += length;
  }
  return found;
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function tarSource(blob: Blob, name: string, offset: number, size: number): ByteSource {
  return Object.freeze({
    name: displayName(name),
    size,
    prefix: (count: number) => blob.read(offset, Math.min(count, size)),
    read: () => blob.read(offset, size),
  });
}

function checkSize(size: number, total: number, position: number, limits: IntakeLimits): void {
  if (size > limits.maxEntryBytes)
    throw new ArchiveError('entry-too-large', `An entry has ${size} bytes`, {
      where: `entry ${position}`,
      next: `At most ${limits.maxEntryBytes} are allowed: raise the limit maxEntryBytes if you trust the sender.`,
    });
  if (total > limits.maxTotalBytes)
    throw new ArchiveError('total-too-large', `The tar holds more than ${limits.maxTotalBytes} bytes`, {
      next: 'Send one study at a time, or raise the limit maxTotalBytes.',
    });
}

function tooMany(limits: IntakeLimits): ArchiveError {
  return new ArchiveError('too-many-entries', `The tar has more than ${limits.maxEntries} entries`, {
    next: 'Send one study at a time, or raise the limit maxEntries.',
  });
}

function damaged(at: number): ArchiveError {
  return new ArchiveError('corrupt', 'A header of the tar is damaged', {
    where: `byte ${at}`,
    next: 'Copy, upload or pack the archive again.',
  });
}

function cutShort(at: number): ArchiveError {
  return new ArchiveError('truncated', 'The tar is cut short', {
    where: `byte ${at}`,
    next: 'Copy, upload or pack the archive again.',
  });
}

function sparse(position: number): ArchiveError {
  return new ArchiveError('unsupported-entry', 'The tar holds a sparse file', {
    where: `entry ${position}`,
    next: 'Pack again without the option --sparse.',
  });
}
