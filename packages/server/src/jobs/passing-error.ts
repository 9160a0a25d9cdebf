/** Which errors go away by waiting, so that ending a job is tried again; and what of an error may stand in the log. */
import { isUnavailable } from '../state/postgres-error.js';

/** SQLSTATE classes beyond those of a database that is away: rollback (deadlock), lack of resources, intervention, system. */
const PASSING_CLASSES = ['40', '53', '57', '58'];
const SQLSTATE = /^[0-9A-Z]{5}$/;

export function isPassing(error: unknown): boolean {
  if (isUnavailable(error)) return true;
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && SQLSTATE.test(code) && PASSING_CLASSES.includes(code.slice(0, 2));
}

/** What and where in our code, without the text, which can hold a client's data. */
export function traceOf(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const { code } = error as { readonly code?: unknown };
  return { error: error.name, ...(typeof code === 'string' ? { code } : {}), at: frames.map((line) => line.trim()) };
}
