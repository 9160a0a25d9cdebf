/**
 * How large an input is once unpacked, told from its directory or its last bytes: nothing is inflated and no header of
 * an image is read. Slices that are compressed inside DICOM count as they lie.
 */
import { open, stat } from 'node:fs/promises';
import { openSources } from '@isocenter/formats';

const ZIP_START = 0x504b;
const GZIP_START = 0x1f8b;
/** 258 bytes from 2 bits: the most that deflate can do. */
const DEFLATE_MAX_RATIO = 1032;
/** gzip announces its size modulo 2^32 (RFC 1952 2.3.1), so a file beyond that is judged by what images pack to. */
const USUAL_RATIO = 3;
const LAST_BYTES = 4;

/** Throws ArchiveError when the directory of a zip cannot be believed. */
export async function unpackedBytes(path: string): Promise<number> {
  const { size, isFolder } = await stat(path).then(
    (info) => ({ size: info.size, isFolder: info.isDirectory() }),
    () => ({ size: 0, isFolder: false }),
  );
  const start = isFolder ? 0 : await firstTwo(path);
  if (isFolder || start === ZIP_START) {
    const opened = await openSources(path);
    await opened.close();
    return opened.sources.reduce((sum, source) => sum + source.size, 0);
  }
  if (start !== GZIP_START) return size;
  const announced = await lastFour(path, size);
  return announced >= size && announced <= size * DEFLATE_MAX_RATIO ? announced : size * USUAL_RATIO;
}

async function firstTwo(path: string): Promise<number> {
  return (await bytesAt(path, 0, 2)).readUInt16BE(0);
}

async function lastFour(path: string, size: number): Promise<number> {
  return (await bytesAt(path, Math.max(0, size - LAST_BYTES), LAST_BYTES)).readUInt32LE(0);
}

/** Zeros where the file has fewer. */
async function bytesAt(path: string, position: number, count: number): Promise<Buffer> {
  const bytes = Buffer.alloc(count);
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return bytes;
  try {
    await file.read(bytes, 0, count, position);
    return bytes;
  } finally {
    await file.close();
  }
}
