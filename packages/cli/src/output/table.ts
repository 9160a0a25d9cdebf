/** Plain text tables: columns as wide as their widest cell, numbers to the right. */
import { printableLine } from './printable.js';

export type Cell = string | number | undefined;

/** `rows` as lines under `headings`; a column whose cells are all numbers (or empty) is right-aligned. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = rows.map((row) => headings.map((_, c) => (row[c] === undefined ? '' : printableLine(String(row[c])))));
  const numeric = headings.map((_, c) =>
    rows.every(
      (row) =>
        row[c] === undefined ||
        row[c] === '' ||
        typeof row[c] === 'number' ||
        /^-?\d[\d,]*(\.\d+)?$/.test(String(row[c])),
    ),
  );
  const widths = headings.map((heading, c) =>
    Math.max(displayWidth(heading), ...text.map((row) => displayWidth(row[c]))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => {
        const gap = ' '.repeat(widths[c] - displayWidth(cell));
        return numeric[c] ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  return [line(headings), line(widths.map((width) => '─'.repeat(width))), ...text.map(line)].join('\n');
}

/** Terminal cells of a text: East Asian wide characters take two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    width +=
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xff00 && code <= 0xff60)
        ? 2
        : 1;
  }
  return width;
}
