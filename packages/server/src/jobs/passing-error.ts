/** Which errors go away by waiting, so that ending a job is tried again; and what of an error may stand in the log. */
import { isFailure } from '@isocenter/volume';
import { isUnavailable } from '../state/postgres-error.js';

/** SQLSTATE classes beyond those of a database that is away: rollback (deadlock), lack of resources, intervention, system. */
const PASSING_CLASSES = ['40', '53', '57', '58'];
const MOST_FRAMES = 8;
const SQLSTATE = /^[0-9A-Z]{5}$/;

export function isPassing(error: unknown): boolean {
  if (isUnavailable(error) || (isFailure(error) && error.kind === 'store-unavailable')) return true;
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && SQLSTATE.test(code) && PASSING_CLASSES.includes(code.slice(0, 2));
}

/** What and where in our code, without the text, which can hold a client's data. */
export function traceOf(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const kind = isFailure(error) ? { kind: error.kind } : {};
  const { code } = error as { readonly code?: unknown };
  const at = frames.slice(0, MOST_FRAMES).map((line) => line.trim());
  return { error: error.name, ...kind, ...(typeof code === 'string' ? { code } : {}), at };
}
