/** File names from names that users or uploads chose: what comes out is harmless on every system, whatever goes in. */

/** Short enough that a suffix and an ending fit everywhere. */
const MAX_LENGTH = 64;
/** Device names of Windows, with any ending. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
const FALLBACK = 'unnamed';

/**
 * ASCII letters, digits, `-` and `_` only, never empty, never reserved. Accents are dropped from their letters, everything
 * else becomes one `_`. A name that is in `taken` (compared without case) gets `-2`, `-3` …; the result is added to `taken`.
 */
export function safeFileName(name: string, taken: Set<string> = new Set()): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[_-]+|[_-]+$/g, '')
    .slice(0, MAX_LENGTH);
  const base = plain === '' ? FALLBACK : RESERVED.test(plain) ? `${plain}_` : plain;
  let candidate = base;
  for (let n = 2; taken.has(candidate.toLowerCase()); n++) candidate = `${base}-${n}`;
  taken.add(candidate.toLowerCase());
  return candidate;
}
