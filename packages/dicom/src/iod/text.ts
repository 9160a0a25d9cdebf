/** Text that fits its value representation (PS3.5 6.2) whatever a model author called things. */

/** Most characters of LO, SH and ST. */
export const LO_LENGTH = 64;
export const SH_LENGTH = 16;
export const ST_LENGTH = 1024;

/** Without backslashes (they part values) and control characters, spaces trimmed, at most `length` characters. */
export function plainText(text: string, length: number): string {
  let out = '';
  let count = 0;
  for (const letter of text.normalize('NFC').trim()) {
    const code = letter.codePointAt(0) ?? 0;
    const bad = code < 0x20 || (code >= 0x7f && code < 0xa0);
    if (count === length) break;
    out += letter === '\\' ? '/' : bad ? ' ' : letter;
    count++;
  }
  return out.trim();
}

/** Names that are not empty, fit LO and differ from each other: the second 'Lung' becomes 'Lung (2)'. */
export function distinctNames(names: readonly string[], fallback: string): string[] {
  const taken = new Set<string>();
  return names.map((name, index) => {
    const plain = plainText(name, LO_LENGTH) || `${fallback} ${index + 1}`;
    let candidate = plain;
    for (let number = 2; taken.has(candidate); number++) {
      const suffix = ` (${number})`;
      candidate = plainText(plain, LO_LENGTH - suffix.length) + suffix;
    }
    taken.add(candidate);
    return candidate;
  });
}
