/** Everything that can go wrong with a blob, as one closed union; the borders turn it into their own answers. */
import { Failure } from '@isocenter/volume';

/**
 * `store-unavailable`: does not answer now, may later. `store-refused`: answers, and says no (rights, bucket, key).
 * `no-space`: the disk has less free than its reserve. `damaged`: the store has other bytes than it took, or none.
 */
export type BlobErrorKind =
  | 'not-found'
  | 'too-large'
  | 'cancelled'
  | 'no-space'
  | 'bad-key'
  | 'bad-range'
  | 'bad-setting'
  | 'damaged'
  | 'store-unavailable'
  | 'store-refused';

export class BlobError extends Failure<BlobErrorKind> {}

export function notFound(): BlobError {
  return new BlobError('not-found', 'There is no such blob.', {
    next: 'It was erased, or it never was; ask for the object that it belonged to.',
  });
}

export function badRange(bytes?: number): BlobError {
  const held = bytes === undefined ? '' : `: the blob has ${bytes} bytes`;
  return new BlobError('bad-range', `The range lies outside the blob${held}.`, {
    next: 'Ask for 0 ≤ first ≤ last, with first below its length.',
  });
}

export function cancelled(): BlobError {
  return new BlobError('cancelled', 'The transfer was cancelled; nothing was kept.');
}
