/** The text header of a NRRD file (NRRD0001 to NRRD0005): fields, key/value pairs, and where the data begins. */
import { FormatError } from '../format-error.js';

export interface NrrdHeader {
  /** Field names in lower case with single spaces, as the format compares them. */
  readonly fields: ReadonlyMap<string, string>;
  /** `key:=value` pairs, in which 3D Slicer keeps its segments. */
  readonly keyValues: ReadonlyMap<string, string>;
  /** First byte behind the empty line. */
  readonly dataOffset: number;
}

/** A header with hundreds of segments stays below this; without a limit, a file of text would be scanned to its end. */
export const MAX_HEADER_BYTES = 4 * 1024 * 1024;

export function isNrrd(start: Uint8Array): boolean {
  return /^NRRD000[1-5]\r?\n/.test(Buffer.from(start.subarray(0, 10)).toString('latin1'));
}

/** Throws FormatError `not-this-format`, `truncated`, `corrupt`, `detached-data`. */
export function parseNrrdHeader(bytes: Uint8Array): NrrdHeader {
  if (!isNrrd(bytes))
    throw new FormatError('not-this-format', 'This is not a NRRD file', {
      where: 'first line',
      next: 'Give a .nrrd file, or name the right format.',
    });
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MAX_HEADER_BYTES));
  const fields = new Map<string, string>();
  const keyValues = new Map<string, string>();
  for (let at = head.indexOf(0x0a) + 1; ; ) {
    const end = head.indexOf(0x0a, at);
    if (end < 0)
      throw new FormatError('truncated', 'The NRRD header has no end, or the data lies in another file', {
        where: `byte ${at}`,
        next: 'Give one file with header and data (.nrrd); a file name in a header is never followed.',
      });
    const line = head.toString('utf8', at, end).replace(/\r$/, '');
    at = end + 1;
    if (line === '') return finish(fields, keyValues, at);
    parseLine(line, fields, keyValues, at);
  }
}

function parseLine(line: string, fields: Map<string, string>, keyValues: Map<string, string>, at: number): void {
  if (line.startsWith('#')) return;
  const pair = line.indexOf(':=');
  const field = line.indexOf(': ');
  if (pair >= 0 && (field < 0 || pair < field))
    keyValues.set(unescaped(line.slice(0, pair)), unescaped(line.slice(pair + 2)));
  else if (field > 0) fields.set(fieldName(line.slice(0, field)), line.slice(field + 2).trim());
  else
    throw new FormatError('corrupt', 'A line of the NRRD header is neither a field nor a key/value pair', {
      where: `byte ${at}`,
      next: 'Export the file again.',
    });
}

/** Spellings that the format allows for one field. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['datafile', 'data file'],
  ['byteskip', 'byte skip'],
  ['lineskip', 'line skip'],
]);

function fieldName(raw: string): string {
  const name = raw.trim().toLowerCase().replace(/\s+/g, ' ');
  return ALIASES.get(name) ?? name;
}

function unescaped(text: string): string {
  return text.replace(/\\(n|\\)/g, (_, what) => (what === 'n' ? '\n' : '\\'));
}

function finish(fields: Map<string, string>, keyValues: Map<string, string>, dataOffset: number): NrrdHeader {
  if (fields.has('data file'))
    throw new FormatError('detached-data', 'This NRRD header keeps its data in another file', {
      where: 'data file',
      next: 'Save header and data in one .nrrd file; a file name in a header is never followed.',
    });
  return { fields, keyValues, dataOffset };
}
