/**
 * What of an error that nobody foresaw may stand in a log: name, code and where in our code. Not its message, which may
 * quote what a client sent; a Failure says its kind, too.
 */
import { isFailure } from '@isocenter/volume';

export interface DefectDescription {
  readonly name: string;
  readonly code?: string;
  readonly kind?: string;
  readonly frames: readonly string[];
  readonly cause?: DefectDescription;
}

const DEEPEST = 5;

export function describeDefect(error: unknown, depth = 0): DefectDescription {
  if (!(error instanceof Error)) return { name: typeof error, frames: [] };
  const { code } = error as NodeJS.ErrnoException;
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(isFailure(error) ? { kind: error.kind } : {}),
    frames: framesOf(error),
    ...(error.cause === undefined || depth >= DEEPEST ? {} : { cause: describeDefect(error.cause, depth + 1) }),
  };
}

/** Places in our code; behind the text, which may have several lines that look like places. */
export function framesOf({ stack = '', message }: Error): string[] {
  const text = stack.indexOf(message);
  const lines = stack.slice(text < 0 ? 0 : text + message.length).split('\n');
  return lines.filter((line) => /^\s+at /.test(line)).map((line) => line.trim().slice('at '.length));
}
