/** Splits a bundle expression (the text after `$`) into tokens. Python's lexical rules for the part we evaluate. */
import { expressionError } from './expression-error.js';

export type Token =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'name'; readonly text: string; readonly at: number }
  | { readonly kind: 'reference'; readonly id: string; readonly at: number }
  | { readonly kind: 'operator'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly at: number };

/** Longer than any expression of the model zoo by a factor of ten. */
export const MAXIMUM_EXPRESSION_LENGTH = 4096;

const NUMBER = /(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z_]\w*/y;
/** `@id::0::x`, `@id#0#x`, and relative `@#x`, `@##x`, `@::x` (specs/monai.md B.2). */
export const REFERENCE = /@((?:#|::)*\w+(?:(?:#|::)\w+)*)/y;
const OPERATOR = /\*\*|\/\/|==|!=|<=|>=|[-+*/%<>()[\]{},:.=]/y;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '0': '\0',
};

/** Throws ExpressionError `syntax` or `limit`. */
export function tokenize(source: string): Token[] {
  if (source.length > MAXIMUM_EXPRESSION_LENGTH)
    throw expressionError(
      'limit',
      `An expression may have ${MAXIMUM_EXPRESSION_LENGTH} characters, this has ${source.length}`,
      source,
      0,
    );
  const tokens: Token[] = [];
  const match = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  let at = 0;
  while (at < source.length) {
    const letter = source[at];
    if (/\s/.test(letter)) {
      at++;
      continue;
    }
    if (letter === '"' || letter === "'") {
      const [value, end] = readString(source, at);
      tokens.push({ kind: 'string', value, at });
      at = end;
      continue;
    }
    const reference = match(REFERENCE, at);
    const name = reference ? null : match(NAME, at);
    const number = reference || name ? null : match(NUMBER, at);
    const found = reference ?? name ?? number ?? match(OPERATOR, at);
    if (!found) throw expressionError('syntax', `"${letter}" cannot stand here`, source, at);
    if (reference) tokens.push({ kind: 'reference', id: reference[1], at });
    else if (name) {
      if (/["']/.test(source[at + name[0].length] ?? ''))
        throw expressionError('refused', 'Strings with a prefix (f"…", b"…", r"…") are not evaluated', source, at);
      tokens.push({ kind: 'name', text: name[0], at });
    } else if (number) tokens.push({ kind: 'number', value: Number(number[0].replaceAll('_', '')), at });
    else tokens.push({ kind: 'operator', text: found[0], at });
    at += found[0].length;
  }
  tokens.push({ kind: 'end', at });
  return tokens;
}

function readString(source: string, start: number): [string, number] {
  const quote = source[start];
  let value = '';
  for (let at = start + 1; at < source.length; at++) {
    const letter = source[at];
    if (letter === quote) return [value, at + 1];
    if (letter === '\n') break;
    if (letter !== '\\') value += letter;
    else {
      const letterMeant = ESCAPES[source[++at]];
      if (letterMeant === undefined) throw expressionError('refused', 'This escape sequence is not read', source, at);
      value += letterMeant;
    }
  }
  throw expressionError('syntax', 'The string has no end', source, start);
}
