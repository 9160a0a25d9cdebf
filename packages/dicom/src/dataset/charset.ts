/**
 * Specific Character Set (0008,0005): bytes to text by the terms of PS3.3 C.12.1.1.2, with the code extensions of PS3.5
 * 6.1.2.5 (ISO 2022 escapes). Unreadable bytes become U+FFFD and are told to `report`; reading never fails on text.
 */
import { decodeWithEscapes, hasEscape } from './charset-escapes.js';
import { decodeSingle } from './charset-single.js';

/** Single charset terms -> the label by which the platform's ICU knows them (Encoding Standard); '' is ASCII. */
const SINGLE: Readonly<Record<string, string>> = {
  '': 'ascii',
  'ISO_IR 6': 'ascii',
  'ISO_IR 13': 'jis-x-0201',
  'ISO_IR 100': 'latin1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 148': 'latin5',
  'ISO_IR 149': 'euc-kr',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 58': 'gb2312',
  'ISO_IR 87': 'ascii',
  'ISO_IR 159': 'ascii',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

export const UTF8_CHARSET: readonly string[] = ['ISO_IR 192'];
export const DEFAULT_CHARSET: readonly string[] = [''];

export type CharsetIssue = 'unknown-charset' | 'undecodable-text';
export type CharsetReport = (issue: CharsetIssue, detail: string) => void;

/** 'ISO 2022 IR 100', 'ISO-IR 100', 'iso_ir 100' and 'ISO_IR100' all mean 'ISO_IR 100'; common spelling faults in files. */
export function normaliseTerm(term: string): string {
  const upper = term.trim().toUpperCase();
  const number = /^ISO[ _-]?(?:2022[ _-]?)?IR[ _-]?(\d+)$/.exec(upper);
  if (number) return `ISO_IR ${number[1]}`;
  if (upper === 'UTF-8' || upper === 'UTF8') return 'ISO_IR 192';
  return upper;
}

/** Only G0 code points of ASCII in `text`: the same in every term but ISO_IR 13. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7e || code === 0x1b) return false;
  }
  return true;
}

/**
 * Text of `bytes` in the charset `terms` (the values of (0008,0005); [] or [''] is the default repertoire).
 * `isPersonName`: '^' and '=' also reset the escapes to the first term, as '\' and line ends do everywhere.
 */
export function decodeText(
  bytes: Uint8Array,
  terms: readonly string[],
  isPersonName: boolean,
  report?: CharsetReport,
): string {
  const labels = terms.map((term) => labelOf(term, report));
  const first = labels[0] ?? 'ascii';
  const escapesAllowed = terms.length > 1 || hasEscape(bytes);
  const text =
    escapesAllowed && first !== 'utf-8' && !first.startsWith('gb1') && first !== 'gbk'
      ? decodeWithEscapes(bytes, first, isPersonName)
      : decodeSingle(bytes, first);
  if (report && first === 'ascii' && !escapesAllowed && /[\x80-\xff]/.test(text))
    report('undecodable-text', 'bytes above 7F without a Specific Character Set; read as Latin-1');
  if (report && text.includes('\ufffd'))
    report('undecodable-text', `bytes that ${terms.join('\\') || 'the default'} does not define`);
  return text;
}

function labelOf(term: string, report?: CharsetReport): string {
  const label = SINGLE[normaliseTerm(term)];
  if (label === undefined)
    report?.('unknown-charset', `Specific Character Set '${term.slice(0, 20)}' is unknown; read as Latin-1`);
  return label ?? 'latin1';
}
