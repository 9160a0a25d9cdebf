/**
 * A tar.gz has no directory and no random access, so it is unpacked once into a private temporary file. The file has no
 * name any more as soon as it is open: nothing can stay behind, not even after kill -9.
 */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ArchiveError } from './archive-error.js';
import { type Blob, fileBlob } from './blob.js';

export async function spoolGunzipped(input: Readable, cap: number): Promise<Blob> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-spool-')).catch(rethrow);
  const remove = () => rm(folder, { recursive: true, force: true });
  let file: FileHandle;
  try {
    file = await open(join(folder, 'spool'), 'wx+', 0o600);
  } catch (cause) {
    await remove();
    throw spoolFailed(cause);
  }
  try {
    // Windows keeps the name of an open file; there it goes on close.
    await remove().catch(() => undefined);
    const size = await unpackInto(file, input, cap);
    const blob = fileBlob(file, size);
    return { ...blob, close: () => blob.close().finally(remove) };
  } catch (error) {
    await file.close();
    await remove();
    throw error;
  }
}

async function unpackInto(file: FileHandle, input: Readable, cap: number): Promise<number> {
  let size = 0;
  let own: ArchiveError | undefined;
  const write = (chunk: Buffer, from: number, at: number) =>
    file.write(chunk, from, chunk.length - from, at).catch((cause) => {
      own = spoolFailed(cause);
      throw own;
    });
  try {
    await pipeline(input, createGunzip({ chunkSize: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        if (size + chunk.length > cap) {
          own = new ArchiveError('ratio-exceeded', `The archive unpacks to more than ${cap} bytes`, {
            next: 'Do not trust this archive; if it is yours, raise the limits maxRatio and maxTotalBytes.',
          });
          throw own;
        }
        for (let done = 0; done < chunk.length; ) done += (await write(chunk, done, size + done)).bytesWritten;
        size += chunk.length;
      }
    });
  } catch (cause) {
    // A pipeline may report its own "aborted" instead of what its last stage threw.
    throw own ?? gzipFailure(cause);
  }
  return size;
}

/** zlib's and the file system's errors in our words. */
export function gzipFailure(cause: unknown): ArchiveError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const next = 'Copy, upload or pack the file again.';
  if (code === 'Z_BUF_ERROR') return new ArchiveError('truncated', 'The gzip file is cut short', { next, cause });
  if (code === 'Z_DATA_ERROR')
    return /check/.test((cause as Error).message)
      ? new ArchiveError('crc-mismatch', 'The gzip file does not match its checksum', { next, cause })
      : new ArchiveError('corrupt', 'The gzip file is damaged', { next, cause });
  return spoolFailed(cause);
}

function spoolFailed(cause: unknown): ArchiveError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
  return new ArchiveError('spool-failed', `The archive cannot be unpacked into the temporary folder (${code})`, {
    next: 'Free space in the temporary folder, or point TMPDIR to a folder that has some.',
    cause,
  });
}

function rethrow(cause: unknown): never {
  throw spoolFailed(cause);
}
