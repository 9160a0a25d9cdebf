/**
 * The port of where bytes lie (@port): file system, S3, Azure Blob, GCS. Keys are made by us from ids and hashes, never
 * from names that a client sent; a store refuses any other key.
 */
import type { Readable } from 'node:stream';
import { BlobError, badRange } from './blob-error.js';

/** `[a-z0-9/-]+`, no empty parts: checked by `blobKey()`. */
export type BlobKey = string & { readonly __blobKey: true };

/** Ours are under 100; S3, Azure and GCS end at 1,024 with their prefix. */
const LONGEST_KEY = 200;

/** The only way to a key; each store asks it again, so that a cast in the types opens no path. Throws BlobError `bad-key`. */
export function blobKey(text: string): BlobKey {
  if (!isBlobKey(text)) {
    throw new BlobError(
      'bad-key',
      'This is not a key that we made: it may have only a-z, 0-9 and -, in parts between /.',
      {
        next: 'Make keys of ids and hashes; never of a name that somebody sent.',
      },
    );
  }
  return text;
}

/** For listings, where other people's objects may lie between ours. */
export function isBlobKey(text: string): text is BlobKey {
  return text.length <= LONGEST_KEY && /^[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(text);
}

/** First and last byte, inclusive; a last byte beyond the end means the end. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Before a store is asked. Throws BlobError `bad-range`. */
export function checkRange(range: ByteRange | undefined): void {
  if (range && !(Number.isSafeInteger(range.first) && Number.isSafeInteger(range.last) && 0 <= range.first))
    throw badRange();
  if (range && range.first > range.last) throw badRange();
}

export interface BlobInfo {
  readonly key: BlobKey;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

export interface PutOptions {
  /** More than this is refused with BlobError `too-large`, and nothing stays. */
  readonly maximumBytes?: number;
  readonly signal?: AbortSignal;
}

export interface BlobStore {
  readonly kind: 'file' | 's3' | 'azure' | 'gcs';
  /** Streams in; when it resolves the bytes are durable under the key, all of them; else nothing is there. Replaces. */
  put(
    key: BlobKey,
    source: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** Throws BlobError `not-found`, `bad-range` (also for any range of an empty blob). */
  get(key: BlobKey, range?: ByteRange): Promise<Readable>;
  head(key: BlobKey): Promise<BlobInfo | undefined>;
  /** In the order of keys. */
  list(prefix: string): AsyncIterable<BlobInfo>;
  /** Also when there is none. */
  delete(key: BlobKey): Promise<void>;
  /** Where the bytes lie on this machine; only the file store has it. */
  localPath?(key: BlobKey): string;
  /** Free on its disk, in bytes; only the file store knows. */
  freeBytes?(): Promise<number>;
  /**
   * Removes what puts of dead processes left behind: multipart uploads and uncommitted blocks of these keys, and, in the
   * file store, all temporaries whose process is no more. Never a put that is alive. Returns how many.
   */
  removeUnfinished?(keys: readonly BlobKey[]): Promise<number>;
}
