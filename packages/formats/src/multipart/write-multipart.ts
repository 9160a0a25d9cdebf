/** Multipart bodies as they are sent: framing around bytes that are not copied. RFC 2046 §5.1. */
import { randomBytes } from 'node:crypto';
import { isLegalBoundary } from './header-value.js';
import { MultipartError } from './multipart-error.js';

export interface WrittenPart {
  /** In this order; names and values as they are written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export interface WrittenMultipart {
  /** Of all chunks together. */
  readonly length: number;
  /** The bodies themselves with framing between them. */
  readonly chunks: readonly Uint8Array[];
}

/** 32 hex digits of chance: long enough that no body has it. */
export function newBoundary(): string {
  return randomBytes(16).toString('hex');
}

/** A delimiter that somebody else chose may stand in the data; then it cannot be used. */
export function boundaryOccurs(boundary: string, bodies: Iterable<Uint8Array>): boolean {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  for (const { buffer, byteOffset, byteLength } of bodies)
    if (Buffer.from(buffer, byteOffset, byteLength).includes(delimiter)) return true;
  return false;
}

/**
 * No preamble; the last line ends with CRLF. Throws MultipartError `bad-boundary`, `not-text` (line ends in headers). It does
 * not look whether the boundary occurs in a body: `boundaryOccurs`.
 */
export function writeMultipart(boundary: string, parts: readonly WrittenPart[]): WrittenMultipart {
  if (!isLegalBoundary(boundary))
    throw new MultipartError('bad-boundary', 'This boundary is not one that may be sent (RFC 2046 §5.1.1)');
  const chunks: Uint8Array[] = [];
  let before = '';
  for (const [index, { headers, body }] of parts.entries()) {
    const lines = headers.map(([name, value]) => `${name}: ${value}`);
    if (lines.some((line) => ['\r', '\n', '\0'].some((bad) => line.includes(bad))))
      throw new MultipartError('not-text', 'A header has a line end', { where: `part ${index}` });
    chunks.push(Buffer.from(`${before}--${boundary}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`, 'utf8'));
    if (body.length > 0) chunks.push(body);
    before = '\r\n';
  }
  chunks.push(Buffer.from(`${before}--${boundary}--\r\n`));
  return { chunks, length: chunks.reduce((sum, { length }) => sum + length, 0) };
}
