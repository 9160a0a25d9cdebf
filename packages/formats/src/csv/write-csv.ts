/**
 * CSV as RFC 4180 has it: comma, CRLF, quotes where needed, UTF-8 without BOM. Structure names come from uploads, and a
 * spreadsheet runs a cell that begins like a formula: such TEXT gets an apostrophe in front (numbers never do).
 */
export type CsvCell = string | number | boolean | null | undefined;

export interface WriteCsvOptions {
  /** False writes text exactly as it is, for programs only; never for a file that a person may open. Default true. */
  readonly neutralise?: boolean;
}

/** What Excel, LibreOffice and Google Sheets take for the start of a formula (also behind a tab or carriage return). */
const FORMULA_START = /^[=+\-@\t\r＝＋－＠]/;
/** Text that is a plain number is data, also with a sign. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** null, undefined, NaN and infinities become empty cells; numbers keep all digits that JavaScript prints. */
export function writeCsv(rows: Iterable<readonly CsvCell[]>, options: WriteCsvOptions = {}): string {
  const neutralise = options.neutralise !== false;
  let text = '';
  for (const row of rows) {
    const cells = row.map((cell) => quoted(cellText(cell, neutralise)));
    // A row of one empty cell would else be an empty line, which readers skip.
    text += `${cells.length === 1 && cells[0] === '' ? '""' : cells.join(',')}\r\n`;
  }
  return text;
}

function cellText(cell: CsvCell, neutralise: boolean): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  if (typeof cell === 'boolean') return String(cell);
  return neutralise && FORMULA_START.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
