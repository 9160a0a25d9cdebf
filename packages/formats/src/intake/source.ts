/** The one way in which intake code sees a file, wherever it lies: on disk, in memory, in a zip, in a tar. */
import { type FileHandle, open } from 'node:fs/promises';
import { ArchiveError } from './archive-error.js';

/** @port its shared suite is byte-source.suite.ts */
export interface ByteSource {
  /** For messages to the person who gave the file, never a path to open, never for logs (it may hold a patient's name). */
  readonly name: string;
  /** Bytes that `read` returns. */
  readonly size: number;
  /** The first `bytes` bytes, or all when there are fewer; cheap, and NOT checked against a CRC. */
  prefix(bytes: number): Promise<Uint8Array>;
  /** All bytes, with length and (where there is one) CRC-32 checked. Throws ArchiveError. Safe to run concurrently. */
  read(): Promise<Uint8Array>;
}

/** A name that fits one line of a message: no control characters, at most `MAX_NAME` characters, the end kept. */
export function displayName(name: string): string {
  const clean = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return clean.length <= MAX_NAME ? clean : `…${clean.slice(1 - MAX_NAME)}`;
}

/** Long enough for `study/series/uid.dcm`, short enough for a table row. */
const MAX_NAME = 160;

export function bufferSource(bytes: Uint8Array, name: string): ByteSource {
  return Object.freeze({
    name: displayName(name),
    size: bytes.byteLength,
    prefix: async (count: number) => bytes.subarray(0, count),
    read: async () => bytes,
  });
}

/** A regular file of `size` bytes; it is opened for each read and not held open, so a folder may hold any number. */
export function fileSource(path: string, size: number, name: string): ByteSource {
  const label = displayName(name);
  return Object.freeze({
    name: label,
    size,
    prefix: (count: number) => readFilePart(path, Math.min(count, size), undefined),
    read: () => readFilePart(path, size, size),
  });
}

async function readFilePart(path: string, count: number, expectedSize: number | undefined): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw unreadable(cause);
  }
  try {
    const bytes = Buffer.allocUnsafeSlow(count);
    await readFully(file, bytes, 0);
    // A file that grows while we read is still being written: half a study must not look like a whole one.
    if (expectedSize !== undefined && (await file.stat()).size !== expectedSize)
      throw new ArchiveError('size-mismatch', 'A file changed its size while it was being read', {
        next: 'Wait until the copy or download has ended, then try again.',
      });
    return bytes;
  } finally {
    await file.close();
  }
}

/** Fills `into` from `position`; throws ArchiveError `truncated` when the file ends first. */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < into.byteLength) {
    const { bytesRead } = await file.read(into, done, into.byteLength - done, position + done);
    if (bytesRead === 0)
      throw new ArchiveError('truncated', 'A file ended before its announced size', {
        where: `byte ${position + done}`,
        next: 'Copy or upload the file again.',
      });
    done += bytesRead;
  }
}

export function unreadable(cause: unknown): ArchiveError {
  const code = (cause as NodeJS.ErrnoException)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new ArchiveError('not-found', 'There is no such file or folder', { next: 'Check the path.', cause });
  return new ArchiveError('unreadable', `The file cannot be read (${code ?? 'unknown reason'})`, {
    next: 'Check its permissions and the disk.',
    cause,
  });
}

/** Reads in flight that keep libuv's four threads busy on two to four cores without holding many volumes in memory. */
export const DEFAULT_CONCURRENT_READS = 4;

/** `task` for each item, at most `concurrency` at a time, results in the order of `items`; the first failure stops the rest. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  task: (item: Item, index: number) => Promise<Result>,
  concurrency = DEFAULT_CONCURRENT_READS,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        results[index] = await task(items[index], index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(concurrency, items.length) }, lane));
  const rejected = lanes.find((outcome) => outcome.status === 'rejected');
  if (rejected) throw rejected.reason;
  return results;
}
