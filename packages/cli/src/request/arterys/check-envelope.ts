/**
 * Rules of the answer around its JSON: headers, framing, names and types of the parts, the two digests.
 * What comes out is what the rules of the JSON are then held against.
 */
import { isLegalBoundary, parseHeaderValue } from '@isocenter/formats';
import { type Fault, type Faults, said } from './faults.js';
import { type Answer, type AnswerPart, digestOf } from './read-answer.js';

export interface Opened {
  readonly json: Readonly<Record<string, unknown>> | undefined;
  readonly binaries: readonly AnswerPart[];
  readonly digests: { readonly request: string; readonly answer: string } | undefined;
}

export const DICOM_TYPE = 'application/dicom';
const MASK_TYPE = 'application/binary';
const HASH_TYPE = 'text/plain';
const HASH_HEX = 64;
const HASHES_BYTES = 2 * HASH_HEX + 1;
const HASHES = /^[0-9a-f]{64}:[0-9a-f]{64}$/i;

/** `requestDigest`: of what was sent; undefined when it had no parts. */
export function checkEnvelope(answer: Answer, requestDigest: string | undefined, faults: Faults): Opened {
  checkHead(answer, faults);
  const { parts } = answer;
  const last = parts.at(-1);
  const hashes = parts.length > 1 && last && isHashes(last) ? last : undefined;
  const binaries = parts.slice(1, hashes ? -1 : undefined);
  const json = parts[0] && jsonOf(parts[0], faults);
  parts.forEach((part, at) => {
    checkPartHeaders(part, placeOf(at, part === hashes), faults);
  });
  return { json, binaries, digests: checkHashes(hashes, parts, requestDigest, faults) };
}

interface Place {
  readonly name: string;
  readonly types: readonly string[];
}

function placeOf(at: number, hashes: boolean): Place {
  if (at === 0) return { name: 'json-body', types: ['application/json'] };
  if (hashes) return { name: 'hashes', types: [HASH_TYPE] };
  return { name: `elem_${at - 1}`, types: [MASK_TYPE, DICOM_TYPE] };
}

function checkHead(answer: Answer, faults: Faults): void {
  const { contentType, boundary, contentLength, transferEncoding, broken } = answer;
  if (contentType === undefined || !contentType.startsWith('multipart/related'))
    faults.error({
      part: 'Content-Type',
      rule: 'the answer is multipart/related',
      expected: 'multipart/related; boundary=…',
      actual: contentType,
      next: 'Set the header of the answer, in lower case.',
    });
  else if (boundary === undefined || !isLegalBoundary(boundary))
    faults.error({
      part: 'Content-Type',
      rule: 'a boundary that RFC 2046 allows',
      expected: "1 to 70 of the characters A-Z a-z 0-9 ' ( ) + _ , - . / : = ?",
      actual: parseHeaderValue(contentType).parameters.get('boundary'),
      next: 'Use a random hex string.',
    });
  if (contentLength === undefined)
    faults.warning({
      part: 'Content-Length',
      rule: 'the length of the answer is announced, without a transfer encoding',
      expected: 'Content-Length',
      actual: transferEncoding === undefined ? undefined : said(`Transfer-Encoding: ${transferEncoding}`),
      next: 'Set Content-Length; some readers do not take chunks.',
    });
  if (broken)
    faults.error({
      part: broken.where ?? 'body',
      rule: 'the body is multipart up to its last delimiter',
      expected: 'whole parts, and --boundary-- at the end',
      actual: said(broken.message),
      next: 'End the body with CRLF, --boundary--, CRLF, and check Content-Length.',
    });
  if (boundary !== undefined && !broken) checkEdges(answer, boundary, faults);
  if (boundary !== undefined && !broken && answer.parts.length === 0) noParts(faults);
}

function checkEdges({ head, tail }: Answer, boundary: string, faults: Faults): void {
  if (!head.toString('latin1').startsWith(`--${boundary}\r\n`))
    faults.error({
      part: 'body',
      rule: 'nothing stands before the first delimiter, and CRLF ends its line',
      expected: `--${boundary} CRLF`,
      actual: head.subarray(0, boundary.length + 8).toString('latin1'),
      next: 'Begin the body with the delimiter line: decoders in use fail on a preamble.',
    });
  if (!tail.toString('latin1').endsWith(`\r\n--${boundary}--\r\n`))
    faults.error({
      part: 'body',
      rule: 'the last delimiter and CRLF end the body',
      expected: `CRLF --${boundary}-- CRLF`,
      actual: tail.subarray(-(boundary.length + 8)).toString('latin1'),
      next: 'Write nothing behind the last delimiter line.',
    });
}

function noParts(faults: Faults): void {
  faults.error({
    part: 'body',
    rule: 'the first part is the JSON',
    expected: 'at least one part',
    actual: said('no part'),
    next: 'Check that the delimiter lines carry the boundary of Content-Type.',
  });
}

/** As clients know it: by its type, length and colon, wherever it has its name from. */
function isHashes({ headers, body }: AnswerPart): boolean {
  const { value } = parseHeaderValue(headers.get('content-type') ?? '');
  const { parameters } = parseHeaderValue(headers.get('content-disposition') ?? '');
  if (value.toLowerCase() === HASH_TYPE || parameters.get('name') === 'hashes') return true;
  return body.length === HASHES_BYTES && HASHES.test(body.toString('latin1'));
}

function checkPartHeaders({ headers }: AnswerPart, { name, types }: Place, faults: Faults): void {
  const disposition = headers.get('content-disposition');
  const { value, parameters } = parseHeaderValue(disposition ?? '');
  if (value !== 'form-data' || parameters.get('name') !== name || parameters.get('filename') !== name)
    faults.error({
      part: name,
      rule: 'each part has its name as name and file name',
      expected: `Content-Disposition: form-data; name="${name}"; filename="${name}"`,
      actual: disposition,
      next: 'Number the binary parts from elem_0 in the order of `parts`.',
    });
  const type = headers.get('content-type');
  if (type === undefined || !types.includes(parseHeaderValue(type).value.toLowerCase()))
    faults.error({
      part: name,
      rule: 'each part says its type',
      expected: `Content-Type: ${types.join(' or ')}`,
      actual: type,
      next: 'Masks are application/binary, DICOM objects application/dicom.',
    });
  const order = [...headers.keys()];
  if (disposition !== undefined && type !== undefined && order.join() !== 'content-disposition,content-type')
    faults.warning({
      part: name,
      rule: 'a part has these two headers in this order',
      expected: 'Content-Disposition, Content-Type',
      actual: said(order.join(', ')),
      next: 'Leave other headers out.',
    });
}

function jsonOf({ body }: AnswerPart, faults: Faults): Opened['json'] {
  const wrong = (actual: unknown, next: string) => {
    faults.error({
      part: 'json-body',
      rule: 'the first part is a JSON object in UTF-8',
      expected: '{ … }',
      actual,
      next,
    });
    return undefined;
  };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch (error) {
    return wrong(said((error as Error).message), 'Check for NaN, single quotes, a byte order mark, and the encoding.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return wrong(value, 'Put everything into one object.');
}

function checkHashes(
  part: AnswerPart | undefined,
  parts: readonly AnswerPart[],
  requestDigest: string | undefined,
  faults: Faults,
): Opened['digests'] {
  const fault = (severity: Fault['severity'], rule: string, expected: string, actual: unknown, next: string) =>
    faults[severity]({ part: 'hashes', rule, expected, actual, next });
  if (!part) {
    if (parts.length > 0)
      fault(
        'warning',
        'the last part holds the two digests',
        'a part "hashes"',
        undefined,
        'Services may leave it out; then nothing proves what was computed from what.',
      );
    return undefined;
  }
  const text = part.body.toString('latin1');
  if (!HASHES.test(text)) {
    fault(
      'error',
      'two SHA-256 digests with a colon between',
      '64 hex digits, a colon, 64 hex digits',
      text,
      'Write hex digits, without a line end.',
    );
    return undefined;
  }
  const [request, answer] = [text.slice(0, HASH_HEX).toLowerCase(), text.slice(HASH_HEX + 1).toLowerCase()];
  if (requestDigest !== undefined && request !== requestDigest)
    fault(
      'error',
      'the first digest is of all bodies of the request',
      requestDigest,
      request,
      'Hash the bodies of all request parts, JSON included, without headers and line ends.',
    );
  const expected = digestOf(parts.slice(0, -1).map(({ body }) => body));
  if (answer !== expected)
    fault(
      'error',
      'the second digest is of the JSON and all binary bodies',
      expected,
      answer,
      'Hash the bytes that are sent: the JSON part exactly as written, then each binary body.',
    );
  return { request, answer };
}
