/**
 * The bytes that are hashed: the one definition that writing, verifying and the auditor's own tools share
 * (docs/reference/audit.md says the same in words). Each field is a netstring, `length:bytes,` with the length in bytes
 * of UTF-8, and an absent field is `-,`: no separator can be smuggled into a field, and no JSON dialect matters.
 */
import { createHash } from 'node:crypto';
import type { ChainedEntry } from './audit-trail.js';

export const FORMAT = 'isocenter-audit-1';
export const HASH_BYTES = 32;

export type EntryContent = Omit<ChainedEntry, 'seq' | 'digest' | 'previous' | 'hash'>;

/** SHA-256 of the entry's own fields, in this order. Made by the process that records; `seq` is not known yet. */
export function entryDigest(entry: EntryContent): Buffer {
  const fields = [
    FORMAT,
    // 'infinity' and the like, which only a hand in the table can put there, come as something else than a date.
    Number.isFinite(entry.at.getTime()) ? entry.at.toISOString() : 'no time',
    entry.actorKind,
    entry.actorId,
    entry.actorName,
    entry.action,
    entry.subjectKind,
    entry.subjectId,
    entry.reason,
    entry.details,
    entry.requestId,
  ];
  const hash = createHash('sha256');
  for (const field of fields) hash.update(netstring(field));
  return hash.digest();
}

/** SHA-256 of previous (32 bytes), seq (8 bytes, big-endian) and digest (32 bytes); the database's trigger does the same. */
export function chainHash(previous: Uint8Array, seq: number, digest: Uint8Array): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(seq));
  return createHash('sha256').update(previous).update(place).update(digest).digest();
}

/** What stands before entry 1. `logId` in lower case with hyphens. */
export function firstHash(logId: string): Buffer {
  return createHash('sha256').update(`${FORMAT} ${logId}`).digest();
}

function netstring(field: string | undefined): string {
  return field === undefined ? '-,' : `${Buffer.byteLength(field)}:${field},`;
}
