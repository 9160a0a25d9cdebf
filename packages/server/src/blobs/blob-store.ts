/**
 * The port of where bytes lie (@port): file system, S3, Azure Blob, GCS. Keys are made by us from ids and hashes, never
 * from names that a client sent; a store refuses any other key.
 */
import type { Readable } from 'node:stream';

/** `[a-z0-9/-]+`, no empty parts: checked by `blobKey()`. */
export type BlobKey = string & { readonly __blobKey: true };

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
  /** `range`: first and last byte, inclusive. Throws BlobError `not-found`. */
  get(key: BlobKey, range?: { readonly first: number; readonly last: number }): Promise<Readable>;
  head(key: BlobKey): Promise<BlobInfo | undefined>;
  /** In the order of keys. */
  list(prefix: string): AsyncIterable<BlobInfo>;
  /** Also when there is none. */
  delete(key: BlobKey): Promise<void>;
  /** Where the bytes lie on this machine; only the file store has it. */
  localPath?(key: BlobKey): string;
}
