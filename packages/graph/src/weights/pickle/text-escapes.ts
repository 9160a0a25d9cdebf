/** Text of pickle protocol 0: Python's raw-unicode-escape, and a quoted string. */
import { FETCH_AGAIN, WeightsError } from '../weights-error.js';

const LARGEST_CODE_POINT = 0x10ffff;

/** Only `\uXXXX` and `\UXXXXXXXX` are escapes there; every other backslash stands for itself. */
export function unescapeUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (code > LARGEST_CODE_POINT) throw bad();
    return String.fromCodePoint(code);
  });
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
]);

export function unescapeString(text: string): string {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) throw bad();
  return text.slice(1, -1).replace(/\\(?:x([0-9a-fA-F]{2})|(.?))/g, (_, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const plain = ESCAPES.get(letter ?? '');
    if (plain === undefined) throw bad();
    return plain;
  });
}

function bad(): WeightsError {
  return new WeightsError('corrupt', 'A text of the pickle is not well formed', { next: FETCH_AGAIN });
}
