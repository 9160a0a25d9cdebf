/** What the operating system says about a file, in our words; no path of ours gets into a message. */
import { isFailure } from '@isocenter/volume';
import { BlobError } from './blob-error.js';

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

export function noSpace(): BlobError {
  return new BlobError('no-space', 'The disk that holds the blobs is full up to its reserve; nothing was kept.', {
    next: 'Try again when jobs have ended, or free space on the disk of the data directory.',
  });
}

/** A Failure passes through. `store-refused`: nothing but an administrator helps. */
export function fileError(error: unknown): unknown {
  if (isFailure(error)) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== 'string') return error;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return noSpace();
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ELOOP':
    case 'EEXIST':
    case 'ENOTDIR':
    case 'EISDIR':
      return new BlobError('store-refused', `The folder of the blobs refuses (${code}).`, {
        where: code,
        next: 'Check that the data directory belongs to the user that runs the server and is writable.',
      });
    default:
      return new BlobError('store-unavailable', `The folder of the blobs cannot be used now (${code}).`, {
        where: code,
        next: 'Check the disk or the network mount of the data directory; the server tries again by itself.',
      });
  }
}
