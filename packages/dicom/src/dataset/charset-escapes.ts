/** ISO 2022 escape sequences inside text (PS3.5 6.1.2.5, the codes of PS3.3 table C.12-3 and C.12-4). */
import { decoderOf, decodeSingle } from './charset-single.js';

const ESC = 0x1b;

/** What an escape puts into G0 (bytes below 80) or G1 (bytes above). */
interface Designation {
  readonly set: 'G0' | 'G1';
  /** Single-byte label for decodeSingle, or a multi-byte set that is reached through ICU's EUC decoders. */
  readonly label: string;
  readonly width: 1 | 2;
}

/** Escape (without ESC, as text) -> designation. */
const ESCAPES: Readonly<Record<string, Designation>> = {
  '(B': { set: 'G0', label: 'ascii', width: 1 },
  '(J': { set: 'G0', label: 'jis-x-0201', width: 1 },
  ')I': { set: 'G1', label: 'jis-x-0201', width: 1 },
  '-A': { set: 'G1', label: 'latin1', width: 1 },
  '-B': { set: 'G1', label: 'iso-8859-2', width: 1 },
  '-C': { set: 'G1', label: 'iso-8859-3', width: 1 },
  '-D': { set: 'G1', label: 'iso-8859-4', width: 1 },
  '-F': { set: 'G1', label: 'iso-8859-7', width: 1 },
  '-G': { set: 'G1', label: 'iso-8859-6', width: 1 },
  '-H': { set: 'G1', label: 'iso-8859-8', width: 1 },
  '-L': { set: 'G1', label: 'iso-8859-5', width: 1 },
  '-M': { set: 'G1', label: 'latin5', width: 1 },
  '-T': { set: 'G1', label: 'windows-874', width: 1 },
  '-b': { set: 'G1', label: 'iso-8859-15', width: 1 },
  $B: { set: 'G0', label: 'jis-x-0208', width: 2 },
  '$@': { set: 'G0', label: 'jis-x-0208', width: 2 },
  '$(D': { set: 'G0', label: 'jis-x-0212', width: 2 },
  '$)C': { set: 'G1', label: 'euc-kr', width: 2 },
  '$)A': { set: 'G1', label: 'gb2312', width: 2 },
};
const LONGEST_ESCAPE = 3;

export function hasEscape(bytes: Uint8Array): boolean {
  return bytes.indexOf(ESC) >= 0;
}

/** Decodes the code elements one after the other; every branch consumes at least one byte. */
export function decodeWithEscapes(bytes: Uint8Array, first: string, isPersonName: boolean): string {
  const initialG1: Designation = {
    set: 'G1',
    label: first === 'ascii' ? 'latin1' : first,
    width: first === 'euc-kr' || first === 'gb2312' ? 2 : 1,
  };
  const initialG0: Designation = { set: 'G0', label: 'ascii', width: 1 };
  let g0 = initialG0;
  let g1 = initialG1;
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === ESC) {
      const [designation, length] = readEscape(bytes, at + 1);
      if (designation?.set === 'G0') g0 = designation;
      else if (designation) g1 = designation;
      else text += '\ufffd';
      at += 1 + length;
    } else if (byte < 0x80) {
      const reset =
        isDelimiter(byte, isPersonName) && !(g0.width === 2 && at + 1 < bytes.length && isCodePair(bytes, at));
      if (reset) {
        g0 = initialG0;
        g1 = initialG1;
      }
      const end = runEnd(
        bytes,
        at,
        (b) => b < 0x80 && b !== ESC && (g0.width === 2 || !isDelimiter(b, isPersonName)),
        g0.width,
      );
      text += decodeRun(bytes.subarray(at, end), g0);
      at = end;
    } else {
      const end = runEnd(bytes, at, (b) => b >= 0x80, 1);
      text += decodeRun(bytes.subarray(at, end), g1);
      at = end;
    }
  }
  return text;
}

/** '\', line ends, TAB, and in PN '^' and '=': PS3.5 6.1.2.5.3. */
function isDelimiter(byte: number, isPersonName: boolean): boolean {
  if (byte === 0x5c || byte === 0x0a || byte === 0x0d || byte === 0x0c || byte === 0x09) return true;
  return isPersonName && (byte === 0x5e || byte === 0x3d);
}

/**
 * Whether the delimiter-looking byte at `at` is the first half of a two-byte code. A conforming writer returns to ASCII
 * before each delimiter, so inside a two-byte G0 every pair of graphic bytes is a character.
 */
function isCodePair(bytes: Uint8Array, at: number): boolean {
  const second = bytes[at + 1] as number;
  const first = bytes[at] as number;
  return first > 0x20 && second > 0x20 && second < 0x7f;
}

/** End of the run from `at` (at least one step of `step` bytes, never past the end) while `belongs`. */
function runEnd(bytes: Uint8Array, at: number, belongs: (byte: number) => boolean, step: number): number {
  let end = Math.min(at + step, bytes.length);
  while (end < bytes.length && belongs(bytes[end] as number)) {
    if (step === 2 && (bytes[end] as number) <= 0x20) break;
    end = Math.min(end + step, bytes.length);
  }
  // A pair that ran into an escape leaves the escape to the next round.
  const cut = bytes.subarray(at, end).indexOf(ESC);
  return cut > 0 ? at + cut : end;
}

function readEscape(bytes: Uint8Array, at: number): [Designation | undefined, number] {
  for (let length = 2; length <= LONGEST_ESCAPE && at + length <= bytes.length; length++) {
    const designation = ESCAPES[String.fromCharCode(...bytes.subarray(at, at + length))];
    if (designation) return [designation, length];
  }
  return [undefined, 0];
}

function decodeRun(run: Uint8Array, designation: Designation): string {
  if (designation.label === 'jis-x-0208') return decodeViaEucJp(run, false);
  if (designation.label === 'jis-x-0212') return decodeViaEucJp(run, true);
  return decodeSingle(run, designation.label === 'gb2312' ? 'gbk' : designation.label);
}

/** EUC-JP holds JIS X 0208 with the high bits set, and JIS X 0212 so behind the prefix 8F. Control bytes stay as they are. */
function decodeViaEucJp(run: Uint8Array, supplementary: boolean): string {
  const PREFIX = 0x8f;
  const euc: number[] = [];
  for (let i = 0; i < run.length; i += 2) {
    const first = run[i] as number;
    const second = run[i + 1];
    if (second === undefined || first <= 0x20) {
      euc.push(first);
      if (second !== undefined) euc.push(second);
      continue;
    }
    if (supplementary) euc.push(PREFIX);
    euc.push(first | 0x80, second | 0x80);
  }
  return decoderOf('euc-jp').decode(Uint8Array.from(euc));
}
