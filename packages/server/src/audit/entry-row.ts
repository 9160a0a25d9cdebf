/** Between the table's columns and an entry of the chain. */
import type { Insertable, Selectable } from 'kysely';
import type { AuditEntry } from './audit-log.js';
import type { ChainedEntry } from './audit-trail.js';
import { canonicalDetails } from './canonical-json.js';
import { type EntryContent, entryDigest } from './entry-bytes.js';
import type { AuditEntryTable, AuditPendingTable } from './tables.js';

export function toPending(entry: AuditEntry, at: Date): Insertable<AuditPendingTable> {
  const content: EntryContent = {
    at,
    actorKind: entry.actor.kind,
    actorId: storable(entry.actor.id),
    actorName: storable(entry.actor.name),
    action: storable(entry.action),
    subjectKind: storable(entry.subject.kind),
    subjectId: storable(entry.subject.id),
    reason: entry.reason === undefined ? undefined : storable(entry.reason),
    details: entry.details === undefined ? undefined : canonicalDetails(entry.details),
    requestId: entry.requestId === undefined ? undefined : storable(entry.requestId),
  };
  return {
    at,
    actor_kind: content.actorKind,
    actor_id: content.actorId,
    actor_name: content.actorName,
    action: content.action,
    subject_kind: content.subjectKind,
    subject_id: content.subjectId,
    reason: content.reason ?? null,
    details: content.details ?? null,
    request_id: content.requestId ?? null,
    digest: entryDigest(content),
  };
}

export function fromRow(row: Selectable<AuditEntryTable>): ChainedEntry {
  return {
    seq: row.seq,
    at: new Date(row.at),
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    actorName: row.actor_name,
    action: row.action,
    subjectKind: row.subject_kind,
    subjectId: row.subject_id,
    reason: row.reason ?? undefined,
    details: row.details ?? undefined,
    requestId: row.request_id ?? undefined,
    digest: row.digest,
    previous: row.previous,
    hash: row.hash,
  };
}

/** Longest text of one field: a reason of two pages. What is longer is cut, for the change must still be recorded. */
const MAXIMUM_CHARACTERS = 4000;

/**
 * The text as PostgreSQL gives it back, because that is what verification hashes: it has no NUL, and halves of
 * surrogate pairs become U+FFFD on the way. (In details JSON escapes both.)
 */
function storable(text: string): string {
  const cut = text.length > MAXIMUM_CHARACTERS ? `${text.slice(0, MAXIMUM_CHARACTERS)}…` : text;
  return Buffer.from(cut, 'utf8').toString('utf8').replaceAll('\0', '\uFFFD');
}
