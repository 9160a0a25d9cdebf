/**
 * The port of blobs as the rest of the server sees them: each has a row that is written before its bytes, so that
 * nothing can be lost sight of, whatever dies when.
 */
import type { Readable } from 'node:stream';
import type { Actor } from '../accounts/actor.js';
import type { Executor } from '../state/database.js';
import type { ByteRange } from './blob-store.js';

/** 'upload' and 'study' are images of patients: erased when their job ends. */
export type BlobPurpose = 'upload' | 'study' | 'result' | 'weights' | 'export';

export interface StoredBlob {
  readonly id: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface WriteBlob {
  readonly purpose: BlobPurpose;
  readonly actor: Actor;
  readonly maximumBytes?: number;
  /** What the client declared (Content-Length): may refuse early, is otherwise not believed. */
  readonly expectedBytes?: number;
  readonly signal?: AbortSignal;
  /** Erased after this unless somebody `keep`s it first; default 1 hour: an upload whose request died goes by itself. */
  readonly abandonAfterMs?: number;
}

/** Keeping is counted per owner: the same owner keeps once, however often it says so. */
export interface BlobOwner {
  readonly kind: 'job' | 'study' | 'model' | 'result';
  readonly id: string;
}

export interface Blobs {
  /** Refuses with BlobError `no-space` when the disk has less free than the reserve; 'too-large', 'cancelled'. */
  write(source: AsyncIterable<Uint8Array>, about: WriteBlob): Promise<StoredBlob>;
  /** In the transaction that starts to refer to it: from now it stays until `release`. */
  keep(
    id: string,
    owner: { readonly kind: 'job' | 'study' | 'model' | 'result'; readonly id: string },
    executor: Executor,
  ): Promise<void>;
  /**
   * In the transaction that ends the reference: it is erased soon after, audited, also if we die in between.
   * `owner`: only this one lets go, and the blob stays while others (a study and its jobs) still keep it; without: all do.
   */
  release(
    id: string,
    reason: string,
    executor: Executor,
    owner?: { readonly kind: 'job' | 'study' | 'model' | 'result'; readonly id: string },
  ): Promise<void>;
  /** Erases now what was released (best effort; the sweeper does what this cannot). */
  eraseReleased(ids: readonly string[]): Promise<void>;
  /** Throws BlobError `not-found`, `bad-range`, `damaged` (kept, but the store has lost it). */
  open(
    id: string,
    range?: ByteRange,
  ): Promise<{ readonly stream: Readable; readonly bytes: number; readonly sha256: string }>;
  /**
   * A file on this machine with these bytes, to be read only: the store's own, or a copy that `done` removes. Nothing is
   * erased before `done`, in whatever process; a reader that dies without it loses its hold after a minute.
   */
  toFile(id: string, signal?: AbortSignal): Promise<{ readonly path: string; done(): Promise<void> }>;
  /** What was released, abandoned or half-written by a dead process is erased. Runs at start and every minute. */
  sweep(): Promise<{ readonly erased: number; readonly bytes: number; readonly failed: number }>;
}
