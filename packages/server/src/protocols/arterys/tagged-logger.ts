/**
 * Lines of a log with tags before the text, as Arterys' collectors read them: a JSON object (keys sorted, blanks after `,` and
 * `:`), ` - `, the text. Tag with the hash of the input, never with what it holds.
 */
import { type Json, jsonText } from './json-text.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogSink = Readonly<Record<LogLevel, (text: string) => void>>;

export type Tags = Readonly<Record<string, Json>>;

export class TaggedLogger implements LogSink {
  readonly #sink: LogSink;
  #tags: Record<string, Json>;

  /** Around another tagged logger: a child that starts with a copy of its tags. */
  constructor(sink: LogSink, tags: Tags = {}) {
    this.#sink = sink instanceof TaggedLogger ? sink.#sink : sink;
    this.#tags = sink instanceof TaggedLogger ? { ...sink.#tags, ...tags } : { ...tags };
  }

  /** Where the lines go: for lines that have their tags already. */
  get sink(): LogSink {
    return this.#sink;
  }

  /** From now on; of the same name the newer counts. */
  addTags(tags: Tags): this {
    this.#tags = { ...this.#tags, ...tags };
    return this;
  }

  /** A child with further tags; this one keeps its own. */
  tag(tags: Tags): TaggedLogger {
    return new TaggedLogger(this, tags);
  }

  debug(text: string): void {
    this.#sink.debug(this.#line(text));
  }

  info(text: string): void {
    this.#sink.info(this.#line(text));
  }

  warn(text: string): void {
    this.#sink.warn(this.#line(text));
  }

  error(text: string): void {
    this.#sink.error(this.#line(text));
  }

  #line(text: string): string {
    const sorted = Object.fromEntries(Object.entries(this.#tags).sort(([a], [b]) => (a < b ? -1 : 1)));
    return `${jsonText(sorted)} - ${text}`;
  }
}

/** `[2026-11-22 13:00:00,123] [INFO] gateway text`: the line of upstream's logging.yaml, on standard output. */
export function consoleSink(
  name: string,
  write: (line: string) => void = defaultWrite,
  now = () => new Date(),
): LogSink {
  const at = (level: string) => (text: string) => {
    const time = now().toISOString().replace('T', ' ').replace('.', ',').slice(0, -1);
    write(`[${time}] [${level}] ${name} ${text}\n`);
  };
  return { debug: at('DEBUG'), info: at('INFO'), warn: at('WARNING'), error: at('ERROR') };
}

function defaultWrite(line: string): void {
  process.stdout.write(line);
}
