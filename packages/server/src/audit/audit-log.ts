/** The port of the audit log: append-only, each entry chained to the one before by its hash (DESIGN §6). */
import type { Actor } from '../accounts/actor.js';
import type { Executor } from '../state/database.js';

/** Flat on purpose: whatever is nested is a document, and could carry what must not be here. */
export type AuditDetail = string | number | boolean | null;
export type AuditDetails = Readonly<Record<string, AuditDetail | readonly AuditDetail[] | undefined>>;

export interface AuditEntry {
  readonly actor: Actor;
  /** Verb in the past with its area: 'job.created', 'images.erased', 'user.locked', 'result.fetched'. */
  readonly action: string;
  /** What it was done to: kind and id, e.g. { kind: 'job', id }. Never a patient. */
  readonly subject: { readonly kind: string; readonly id: string };
  /** What a person gave as reason. */
  readonly reason?: string;
  /** Ids, counts and states, at most 4 KB; without patient data. */
  readonly details?: AuditDetails;
  readonly requestId?: string;
}

export interface AuditLog {
  /**
   * Appends; with `executor` in the caller's transaction, so that the entry stands if and only if the change does. That
   * transaction must be READ COMMITTED (the default): its commit waits for the commits before it. Throws AuditError `bad-entry`.
   */
  record(entry: AuditEntry, executor?: Executor): Promise<void>;
}
