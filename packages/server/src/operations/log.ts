/**
 * The log: one JSON object a line for machines, one readable line for people on a terminal. Secrets are struck out, and
 * of errors only name, code and place are written, because messages may quote what a client sent.
 */
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { describeDefect } from '../defects/describe-defect.js';
import { TextLines } from './text-lines.js';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** 'auto': text on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'text';
  /** Appended to instead of standard output. */
  readonly file?: string;
  /** For tests; default standard output. */
  readonly to?: DestinationStream;
}

export interface Log {
  readonly log: Logger;
  /** Writes what is still in memory; to be called before the process ends. */
  flush(): void;
}

/** Names under which secrets could come by. */
const SECRETS = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'token',
  'key',
  'secret',
  'clientSecret',
  'databaseUrl',
]);
const STRUCK = '(struck out)';

export function createLog({ level, format, file, to }: LogOptions): Log {
  // Written at once while nothing else is being written, gathered while something is: no line waits, nothing blocks.
  const bytes = destination({ dest: file ?? 1, sync: false, mkdir: file !== undefined });
  const sink = to ?? bytes;
  const text = format === 'text' || (format === 'auto' && file === undefined && process.stdout.isTTY === true);
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      // pino's own redaction costs twenty times as much per line.
      formatters: { level: (label) => ({ level: label }), log: struck },
      serializers: { err: describeDefect, error: describeDefect },
    },
    text ? new TextLines(sink, process.stdout.isTTY === true) : sink,
  );
  return { log, flush: () => (to === undefined ? flushSync(bytes) : undefined) };
}

/** Without secrets, at the top and in plain objects below. */
function struck(fields: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name in fields) {
    const value = fields[name];
    const clean = SECRETS.has(name) ? STRUCK : isPlain(value) ? struck(value) : value;
    if (clean === value) continue;
    copy ??= { ...fields };
    copy[name] = clean;
  }
  return copy ?? fields;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function flushSync(bytes: ReturnType<typeof destination>): void {
  try {
    bytes.flushSync();
  } catch {
    // Not open yet: nothing was written.
  }
}
