/** CSV in: quotes, doubled quotes, line ends of any system, BOM, and the separator as an option (tab for .tsv). */
import { FormatError } from '../format-error.js';

export interface ReadCsvOptions {
  /** Default ','. */
  readonly separator?: string;
}

/** Rows of cells; empty lines are left out. Throws FormatError `truncated` (open quote) and `corrupt`. */
export function readCsv(input: string | Uint8Array, options: ReadCsvOptions = {}): string[][] {
  const text = typeof input === 'string' ? input : decode(input);
  const separator = options.separator ?? ',';
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    const cell = text[at] === '"' ? quotedCell(text, at, rows.length + 1) : plainCell(text, at, separator);
    row.push(cell.value);
    at = cell.end;
    const empty = row.length === 1 && cell.value === '' && !cell.wasQuoted;
    if (text[at] === separator) {
      at++;
      // A separator at the very end opens one more, empty cell.
      if (at < text.length) continue;
      row.push('');
    } else if (text[at] === '\r' && text[at + 1] === '\n') at += 2;
    else if (text[at] === '\n' || text[at] === '\r') at++;
    else if (at < text.length)
      throw new FormatError('corrupt', 'Text follows a closing quote', {
        where: `CSV row ${rows.length + 1}`,
        next: 'Export the table again.',
      });
    if (!empty || row.length > 1) rows.push(row);
    row = [];
  }
  return rows;
}

/** Rows as records by the names of the first row. Throws FormatError `corrupt` when a row has more or fewer cells. */
export function readCsvRecords(input: string | Uint8Array, options: ReadCsvOptions = {}): Record<string, string>[] {
  const [names, ...rows] = readCsv(input, options);
  return rows.map((row, index) => {
    if (row.length !== names.length)
      throw new FormatError('corrupt', `A row has ${row.length} cells, the first one ${names.length}`, {
        where: `CSV row ${index + 2}`,
        next: 'Export the table again.',
      });
    return Object.fromEntries(names.map((name, column) => [name, row[column]]));
  });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError('unsupported-encoding', 'The table is not UTF-8 text', {
      where: 'CSV',
      next: 'Save it as "CSV UTF-8".',
      cause,
    });
  }
}

interface Cell {
  readonly value: string;
  readonly end: number;
  readonly wasQuoted: boolean;
}

function quotedCell(text: string, start: number, row: number): Cell {
  let value = '';
  for (let at = start + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0)
      throw new FormatError('truncated', 'A quote is opened and not closed', {
        where: `CSV row ${row}`,
        next: 'The table is cut short: export it again.',
      });
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1, wasQuoted: true };
    value += '"';
    at = quote + 2;
  }
}

function plainCell(text: string, start: number, separator: string): Cell {
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end++;
  return { value: text.slice(start, end), end, wasQuoted: false };
}
