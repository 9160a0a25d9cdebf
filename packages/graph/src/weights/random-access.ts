/** Bytes that are read by ranges: a file of gigabytes is never in memory as a whole. */
import { FETCH_AGAIN, WeightsError } from './weights-error.js';

/**
 * @port
 * `memoryAccess(bytes)`, or `fileAccess(await open(path), size)` with Node's own handle.
 */
export interface RandomAccess {
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws WeightsError `truncated` when they are not there. Safe to run concurrently. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What is used of Node's FileHandle. The caller opens and closes it. */
export interface ReadableHandle {
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

export function memoryAccess(bytes: Uint8Array): RandomAccess {
  return Object.freeze({
    size: bytes.byteLength,
    read: async (offset: number, length: number) => {
      checkRange(bytes.byteLength, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  });
}

export function fileAccess(handle: ReadableHandle, size: number): RandomAccess {
  return Object.freeze({
    size,
    read: async (offset: number, length: number) => {
      checkRange(size, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        // One read of the operating system ends at 2^31 - 1 bytes.
        const step = Math.min(length - done, LARGEST_READ);
        const { bytesRead } = await handle.read(bytes, done, step, offset + done);
        if (bytesRead === 0) throw endsAt(offset + done);
        done += bytesRead;
      }
      return bytes;
    },
  });
}

const LARGEST_READ = 1 << 30;

function checkRange(size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw endsAt(size);
}

function endsAt(offset: number): WeightsError {
  return new WeightsError('truncated', 'The file ends before what it announces', { offset, next: FETCH_AGAIN });
}
