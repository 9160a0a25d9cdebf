/** The port of reading and proving the audit log: what administrators, `isocenter audit verify` and backups use. */
import type { Writable } from 'node:stream';
import type { Actor } from '../accounts/actor.js';
import type { AuditLog } from './audit-log.js';

/** One entry as it stands in the chain (docs/reference/audit.md). */
export interface ChainedEntry {
  /** 1, 2, 3 … in the order of commits, without a gap. */
  readonly seq: number;
  /** When it was recorded, to the millisecond, by the recording process's clock; `seq` alone is the order. */
  readonly at: Date;
  readonly actorKind: Actor['kind'];
  readonly actorId: string;
  readonly actorName: string;
  readonly action: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly reason: string | undefined;
  /** Canonical JSON text (RFC 8785), as it was hashed. */
  readonly details: string | undefined;
  readonly requestId: string | undefined;
  /** SHA-256 of the fields above without `seq`. */
  readonly digest: Uint8Array;
  /** The hash of the entry before; that of entry 1 is made from the log's id. */
  readonly previous: Uint8Array;
  /** SHA-256 of previous, seq and digest. */
  readonly hash: Uint8Array;
}

/** A point of the chain that was written down elsewhere: proves later that nothing up to it was rewritten. */
export interface AuditAnchor {
  readonly logId: string;
  readonly seq: number;
  /** 64 hexadecimal digits. */
  readonly hash: string;
}

export type AuditProblemKind =
  /** A field, or one of its hashes, is not what was written. */
  | 'changed'
  | 'missing'
  /** A whole entry stands where another was written. */
  | 'reordered'
  /** The last entries are gone. */
  | 'truncated'
  /** Rows that the chain never took in. */
  | 'unchained'
  /** The chain is sound in itself, but is not the one the anchor was taken from. */
  | 'rewritten'
  /** An export that is not one. */
  | 'malformed';

export interface AuditProblem {
  readonly kind: AuditProblemKind;
  /** The first entry that is wrong. */
  readonly seq: number;
  /** A sentence for people; it names fields, never their contents. */
  readonly message: string;
}

export interface AuditVerdict {
  /** Sound entries before the first problem, or all. */
  readonly checked: number;
  /** The last sound entry: what to write down as the next anchor; undefined for an empty log. */
  readonly anchor: AuditAnchor | undefined;
  /** Undefined: nothing is wrong. */
  readonly problem: AuditProblem | undefined;
}

export interface AuditFilter {
  readonly actorKind?: Actor['kind'];
  readonly actorId?: string;
  /** 'user.locked', or a whole area with a dot at its end: 'user.'. */
  readonly action?: string;
  readonly subjectKind?: string;
  readonly subjectId?: string;
  readonly requestId?: string;
  /** From this moment on. */
  readonly after?: Date;
  /** Before this moment. */
  readonly before?: Date;
}

export interface AuditPage {
  readonly entries: readonly ChainedEntry[];
  /** Opaque; undefined on the last page. */
  readonly next?: string;
}

export interface AuditTrail extends AuditLog {
  /** Newest first. `limit` 1..1000. Throws PagingError `bad-cursor`. */
  list(filter: AuditFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<AuditPage>;
  /**
   * Walks the chain and stops at the first problem; memory does not grow with the log. `from`: trusts what stands
   * before this entry. `anchor`: the chain must go through it.
   */
  verify(options?: {
    readonly from?: number;
    readonly anchor?: AuditAnchor;
    readonly signal?: AbortSignal;
  }): Promise<AuditVerdict>;
  /** NDJSON that `verifyExport` checks without a database; does not end the stream. */
  exportTo(stream: Writable, options?: { readonly from?: number; readonly signal?: AbortSignal }): Promise<AuditAnchor>;
  /** Where the chain ends now. */
  head(): Promise<AuditAnchor>;
}
