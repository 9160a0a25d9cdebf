/**
 * The JSON of a safetensors header, strictly: JSON.parse would let the last of two equal keys win, and two readers would
 * see two different files. Objects become Maps, numbers are whole, and three levels are all there are.
 */
import { WeightsError } from '../weights-error.js';

export type HeaderValue = string | number | null | readonly HeaderValue[] | HeaderObject;
export type HeaderObject = ReadonlyMap<string, HeaderValue>;

/** Name → facts → shape or offsets. */
const DEEPEST = 3;

/** `where` of errors is the byte in the header. Throws WeightsError `bad-header`. */
export function parseHeader(text: string): HeaderObject {
  const parser = new HeaderParser(text);
  const value = parser.value(0);
  parser.end();
  if (!(value instanceof Map)) throw parser.bad('The header is not an object');
  return value;
}

class HeaderParser {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): HeaderValue {
    this.blank();
    const start = this.text[this.at];
    if (start === '"') return this.string();
    if (depth < DEEPEST && start === '{') return this.object(depth);
    if (depth < DEEPEST && start === '[') return this.array(depth);
    if (this.text.startsWith('null', this.at)) {
      this.at += 4;
      return null;
    }
    return this.number();
  }

  /** The format pads with spaces. */
  end(): void {
    this.blank();
    if (this.at < this.text.length) throw this.bad('Something stands behind the header');
  }

  bad(message: string): WeightsError {
    return new WeightsError('bad-header', message, {
      where: `character ${this.at} of the header`,
      next: 'The file is damaged, or made by hand: save it again with safetensors.',
    });
  }

  private object(depth: number): HeaderObject {
    const entries = new Map<string, HeaderValue>();
    this.at += 1;
    if (this.take('}')) return entries;
    do {
      this.blank();
      const key = this.string();
      if (entries.has(key)) throw this.bad('A key stands twice');
      if (!this.take(':')) throw this.bad('A key has no value');
      entries.set(key, this.value(depth + 1));
    } while (this.take(','));
    if (!this.take('}')) throw this.bad('An object has no end');
    return entries;
  }

  private array(depth: number): readonly HeaderValue[] {
    const items: HeaderValue[] = [];
    this.at += 1;
    if (this.take(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.take(','));
    if (!this.take(']')) throw this.bad('A list has no end');
    return items;
  }

  private string(): string {
    if (this.text[this.at] !== '"') throw this.bad('A text is expected');
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    try {
      const value = JSON.parse(this.text.slice(this.at, end + 1)) as string;
      this.at = end + 1;
      return value;
    } catch {
      throw this.bad('A text is not well formed');
    }
  }

  private number(): number {
    WHOLE.lastIndex = this.at;
    const [digits] = WHOLE.exec(this.text) ?? [];
    if (digits === undefined || !Number.isSafeInteger(Number(digits))) throw this.bad('A whole number is expected');
    this.at += digits.length;
    return Number(digits);
  }

  private take(character: string): boolean {
    this.blank();
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private blank(): void {
    while (BLANKS.has(this.text[this.at])) this.at += 1;
  }
}

const WHOLE = /-?(?:0|[1-9]\d*)(?![\d.eE])/y;
const BLANKS = new Set([' ', '\t', '\n', '\r']);
