/** Random access to the bytes of an archive, in a file or in memory; the only thing archive readers know of where it lies. */
import type { FileHandle } from 'node:fs/promises';
import { ArchiveError } from './archive-error.js';
import { readFully } from './source.js';

export interface Blob {
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws ArchiveError `truncated` when they are not there, before allocating. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

function checkRange(size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new ArchiveError('truncated', `The archive has ${size} bytes, but more are announced`, {
      where: `byte ${offset}`,
      next: 'The file is cut short or damaged: copy or upload it again.',
    });
}

export function memoryBlob(bytes: Uint8Array): Blob {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: buffer.length,
    async read(offset, length) {
      checkRange(buffer.length, offset, length);
      return buffer.subarray(offset, offset + length);
    },
    async close() {},
  };
}

export function fileBlob(file: FileHandle, size: number): Blob {
  let closed = false;
  return {
    size,
    async read(offset, length) {
      if (closed) throw new ArchiveError('closed', 'The archive was closed before this read');
      checkRange(size, offset, length);
      const bytes = Buffer.allocUnsafeSlow(length);
      await readFully(file, bytes, offset);
      return bytes;
    },
    async close() {
      if (!closed) {
        closed = true;
        await file.close();
      }
    },
  };
}
