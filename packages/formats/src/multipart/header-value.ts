/**
 * Header values with parameters, `type/subtype; name=token; other="a \"quoted\" one"` (RFC 9110 §5.6.6), and the boundary
 * of a multipart type (RFC 2046 §5.1.1). Reading takes more than the standard: a boundary may have any visible characters.
 */
import { MultipartError } from './multipart-error.js';

export interface HeaderValue {
  /** What stands before the first `;`, trimmed, in its own case. */
  readonly value: string;
  /** Names in lower case; of a name that comes twice the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 2046 §5.1.1. */
const LONGEST_BOUNDARY = 70;
const VISIBLE = /^[!-~](?:[ -~]*[!-~])?$/;
const LEGAL = /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
const UNWRITABLE = /[\0-\x08\x0a-\x1f\x7f]/;
/** Name, then a quoted text or what comes up to the next `;`: many clients leave out quotes that they need. */
const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\[\s\S])*)"|([^;"]*))/y;

/** Takes what it can read and stops at the first thing that is no parameter. */
export function parseHeaderValue(text: string): HeaderValue {
  const end = text.indexOf(';');
  const value = (end < 0 ? text : text.slice(0, end)).trim();
  const parameters = new Map<string, string>();
  const pattern = new RegExp(PARAMETER);
  pattern.lastIndex = end < 0 ? text.length : end;
  for (;;) {
    const found = pattern.exec(text);
    if (!found) break;
    const name = found[1]!.toLowerCase();
    const given = found[2] === undefined ? found[3]!.trim() : found[2].replace(/\\([\s\S])/g, '$1');
    if (!parameters.has(name)) parameters.set(name, given);
    while (/\s/.test(text[pattern.lastIndex] ?? '')) pattern.lastIndex++;
  }
  return { value, parameters };
}

/**
 * Of a Content-Type. Throws MultipartError `not-multipart` (another type), `bad-boundary` (none, empty, above 70
 * characters, not visible ASCII).
 */
export function boundaryOf(contentType: string): string {
  const { value, parameters } = parseHeaderValue(contentType);
  if (!/^multipart\//i.test(value))
    throw new MultipartError('not-multipart', 'The body is not multipart', { where: 'Content-Type' });
  const boundary = parameters.get('boundary');
  if (!boundary) throw badBoundary('The content type names no boundary');
  if (boundary.length > LONGEST_BOUNDARY)
    throw badBoundary(`The boundary is longer than the ${LONGEST_BOUNDARY} characters of RFC 2046`);
  if (!VISIBLE.test(boundary)) throw badBoundary('The boundary has characters that none can have');
  return boundary;
}

/** By RFC 2046: what we may write, as opposed to what we read. */
export function isLegalBoundary(boundary: string): boolean {
  return boundary.length <= LONGEST_BOUNDARY && LEGAL.test(boundary);
}

/** As the value of a parameter: as it is where a token may stand so, quoted otherwise. Throws MultipartError `not-text`. */
export function parameterText(value: string): string {
  return TOKEN.test(value) ? value : quoted(value);
}

/** In quotes, whatever it is. Throws MultipartError `not-text` for control characters: they would make lines of their own. */
export function quoted(value: string): string {
  if (UNWRITABLE.test(value))
    throw new MultipartError('not-text', 'A header cannot carry control characters', { where: 'parameter' });
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

function badBoundary(message: string): MultipartError {
  return new MultipartError('bad-boundary', message, {
    where: 'Content-Type',
    next: 'Send Content-Type: multipart/…; boundary=… with 1 to 70 characters of RFC 2046 §5.1.1.',
  });
}
