/**
 * JSON of a request, read strictly (RFC 8259 §4, §8.1): UTF-8 only, no key twice in an object, no key that changes
 * prototypes, and no deeper than the limit, so that nobody downstream runs out of stack.
 */
import { HttpError } from './http-error.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;

/** Keys that reach a prototype when code copies fields by assignment. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Throws HttpError `not-json`, `too-deep`, `repeated-key`, `forbidden-key`. */
export function parseJson(bytes: Uint8Array, maximumDepth: number): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new HttpError('not-json', 'The body is not valid UTF-8', { next: 'Send JSON in UTF-8.' });
  }
  checkShape(text, maximumDepth);
  try {
    return JSON.parse(text);
  } catch {
    // V8's message quotes the body, which may name a patient.
    throw new HttpError('not-json', 'The body is not valid JSON', { next: 'Check it with a JSON parser.' });
  }
}

/** One pass over the text before it is parsed; what is no JSON at all is left to the parser. */
function checkShape(text: string, maximumDepth: number): void {
  /** Keys so far of each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = endOfString(text, i);
        if (expectsKey) checkKey(text.slice(i, end + 1), open.at(-1));
        expectsKey = false;
        i = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        expectsKey = text.charCodeAt(i) === OPEN_OBJECT;
        open.push(expectsKey ? new Set() : undefined);
        if (open.length > maximumDepth)
          throw new HttpError('too-deep', `The JSON is nested deeper than ${maximumDepth} levels`, {
            where: `character ${i}`,
          });
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop();
        expectsKey = false;
        break;
      case COMMA:
        expectsKey = open.at(-1) !== undefined;
        break;
    }
  }
}

/** Index of the closing quote, or of the last character when there is none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i += 1;
    else if (code === QUOTE) return i;
  }
  return text.length - 1;
}

function checkKey(quoted: string, keys: Set<string> | undefined): void {
  let key = quoted.slice(1, -1);
  if (quoted.includes('\\'))
    try {
      key = JSON.parse(quoted) as string;
    } catch {
      return;
    }
  if (FORBIDDEN.has(key)) throw new HttpError('forbidden-key', 'The JSON has a key that no object here may have');
  if (keys?.has(key))
    throw new HttpError('repeated-key', 'An object in the JSON has the same key twice', {
      next: 'Which of them counts would depend on the reader: send it once.',
    });
  keys?.add(key);
}
