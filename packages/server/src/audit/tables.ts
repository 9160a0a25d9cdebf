/** Tables of the audit log, as Kysely sees them; migration 0001 makes them and explains each. */
import type { Generated } from 'kysely';
import type { Actor } from '../accounts/actor.js';

interface EntryColumns {
  at: Date;
  actor_kind: Actor['kind'];
  actor_id: string;
  actor_name: string;
  action: string;
  subject_kind: string;
  subject_id: string;
  reason: string | null;
  details: string | null;
  request_id: string | null;
  digest: Buffer;
}

/** Rows live from the insert to the end of the same transaction. */
export interface AuditPendingTable extends EntryColumns {
  id: Generated<number>;
}

export interface AuditEntryTable extends EntryColumns {
  seq: number;
  previous: Buffer;
  hash: Buffer;
}

/** One row. */
export interface AuditHeadTable {
  only: boolean;
  log_id: string;
  seq: number;
  hash: Buffer;
}

export interface AuditTables {
  audit_pending: AuditPendingTable;
  audit_entry: AuditEntryTable;
  audit_head: AuditHeadTable;
}
