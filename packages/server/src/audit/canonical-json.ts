/**
 * JSON with one spelling (RFC 8785): keys in the order of their UTF-16 code units, no spaces, ECMAScript numbers. Details
 * of audit entries are hashed as this text. They are flat and small on purpose: ids, counts and states, nothing else.
 */

import { AuditError } from './audit-error.js';
import type { AuditDetails } from './audit-log.js';

/** Enough for a dozen ids; a longer text is a document, and documents do not belong into the log. */
const MAXIMUM_CHARACTERS = 4096;

/** Throws AuditError `bad-entry` for what is not flat data, or too much of it. Undefined values are left out. */
export function canonicalDetails(details: AuditDetails): string {
  const parts: string[] = [];
  for (const key of Object.keys(details).sort()) {
    const value = details[key];
    if (value !== undefined) parts.push(`${JSON.stringify(key)}:${canonicalValue(key, value)}`);
  }
  const text = `{${parts.join(',')}}`;
  if (text.length <= MAXIMUM_CHARACTERS) return text;
  throw new AuditError(
    'bad-entry',
    `Details of an audit entry have ${text.length} characters; ${MAXIMUM_CHARACTERS} is the most`,
    {
      next: 'Record ids and counts, and keep the rest where the ids point to.',
    },
  );
}

function canonicalValue(key: string, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalScalar(key, item)).join(',')}]`;
  return canonicalScalar(key, value);
}

function canonicalScalar(key: string, value: unknown): string {
  const plain =
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value));
  if (plain) return JSON.stringify(value);
  throw new AuditError(
    'bad-entry',
    'A detail of an audit entry is not a text, number, boolean, null or a list of these',
    {
      where: key,
    },
  );
}
