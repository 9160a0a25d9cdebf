/** The port of the audit log: append-only, each entry chained to the one before by its hash (DESIGN §6). */
import type { Actor } from '../accounts/actor.js';
import type { Executor } from '../state/database.js';

export interface AuditEntry {
  readonly actor: Actor;
  /** Verb in the past with its area: 'job.created', 'images.erased', 'user.locked', 'result.fetched'. */
  readonly action: string;
  /** What it was done to: kind and id, e.g. { kind: 'job', id }. Never a patient. */
  readonly subject: { readonly kind: string; readonly id: string };
  readonly reason?: string;
  /** Small, without patient data. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId?: string;
}

export interface AuditLog {
  /** Appends; with `executor` in the caller's transaction, so that the entry stands if and only if the change does. */
  record(entry: AuditEntry, executor?: Executor): Promise<void>;
}
