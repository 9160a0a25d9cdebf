/** Which errors go away by waiting, so that ending a job is tried again. */
import { isFailure } from '@isocenter/volume';
import { isUnavailable } from '../state/postgres-error.js';

/** SQLSTATE classes beyond those of a database that is away: rollback (deadlock), lack of resources, intervention, system. */
const PASSING_CLASSES = ['40', '53', '57', '58'];
const SQLSTATE = /^[0-9A-Z]{5}$/;

export function isPassing(error: unknown): boolean {
  if (isUnavailable(error) || (isFailure(error) && error.kind === 'store-unavailable')) return true;
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && SQLSTATE.test(code) && PASSING_CLASSES.includes(code.slice(0, 2));
}
