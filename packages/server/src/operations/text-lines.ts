/** Log lines for people: time, level, what, and the fields that matter, in one line. */
import type { DestinationStream } from 'pino';

const COLOURS: Readonly<Record<string, string>> = { debug: '2', info: '36', warn: '33', error: '31', fatal: '31' };
/** Said in the line already, or the same in every line. */
const LEFT_OUT = new Set(['level', 'time', 'pid', 'msg', 'requestId']);
const CLOCK = { start: 11, end: 19 } as const;

export class TextLines implements DestinationStream {
  readonly #to: DestinationStream;
  readonly #colour: boolean;

  constructor(to: DestinationStream, colour: boolean) {
    this.#to = to;
    this.#colour = colour;
  }

  write(line: string): void {
    this.#to.write(this.#readable(line));
  }

  #readable(line: string): string {
    let fields: Record<string, unknown>;
    try {
      fields = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return line;
    }
    const level = String(fields.level);
    const paint = (text: string) => (this.#colour ? `\u001b[${COLOURS[level] ?? '0'}m${text}\u001b[0m` : text);
    const time = String(fields.time).slice(CLOCK.start, CLOCK.end);
    const rest = Object.entries(fields)
      .filter(([name]) => !LEFT_OUT.has(name))
      .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
    // What a field holds must not move the cursor of a terminal or begin a line of its own.
    const text = [time, paint(level.toUpperCase().padEnd(5)), String(fields.msg ?? ''), ...rest].join(' ');
    return `${printable(text)}\n`;
  }
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to take them out, all but our own colours.
  return text.replace(/[\u0000-\u001a\u001c-\u001f\u007f-\u009f]/g, '?').replace(/\u001b(?!\[\d{1,2}m)/g, '?');
}
