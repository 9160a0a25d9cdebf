/** The blobs as backup and restore see them; who puts the server together makes this from the blob store and its rows. */
import type { Readable } from 'node:stream';
import type { Executor } from '../database.js';

export interface BackupBlob {
  readonly id: string;
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface BlobSource {
  /** Those that rows of this snapshot refer to: weights, results, exports; images of patients only on wish. */
  list(snapshot: Executor): AsyncIterable<BackupBlob>;
  /** Undefined when it was erased since. */
  open(blob: BackupBlob): Promise<Readable | undefined>;
}

export interface BlobTarget {
  /** Stores under the same key, durably; replaces what an earlier attempt left. */
  put(blob: BackupBlob, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Takes back what was put when the restore fails later. */
  discard(blob: BackupBlob): Promise<void>;
}
