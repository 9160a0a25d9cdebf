/** What pg, the network and PostgreSQL say when a connection fails, in our words and without passwords. */
import { isFailure } from '@isocenter/volume';
import { StateError, type StateErrorKind } from './state-error.js';

/** Of Node: the other side is not there, or went away. */
const networkCodes = ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'];
/** Of PostgreSQL (appendix A): its disk is full. */
const DISK_FULL = '53100';
/** Shut down, crashed, starting, out of disk, memory or connections, connection exceptions. */
const stateCodes = [
  '57P01',
  '57P02',
  '57P03',
  DISK_FULL,
  '53200',
  '53300',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
];
/** Sentences of pg, which has no codes for these. */
const sentences =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after/;

/** The database was away: the same work may be done again in a moment, if it is safe to do twice. */
export function isUnavailable(error: unknown): boolean {
  if (isFailure(error)) return error.kind === 'unavailable';
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: string };
  if (code !== undefined && (networkCodes.includes(code) || stateCodes.includes(code))) return true;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  return code === undefined && sentences.test(error.message);
}

/** StateError `unavailable` for the above, everything else unchanged. */
export function withUnavailable(error: unknown): unknown {
  if (isFailure(error) || !isUnavailable(error)) return error;
  const full = (error as { readonly code?: string }).code === DISK_FULL;
  return new StateError(
    'unavailable',
    full ? 'The disk of the database is full.' : 'The database does not answer at the moment.',
    {
      next: full ? 'Make room on it; then try again.' : 'Try again in a few seconds.',
      cause: error,
    },
  );
}

const connectFaults: readonly (readonly [RegExp, StateErrorKind, string, string])[] = [
  [
    /^28P01$|^28000$/,
    'wrong-password',
    'PostgreSQL refused the user name or password',
    'Check both, and pg_hba.conf of the server.',
  ],
  [/^3D000$/, 'no-database', 'PostgreSQL has no database of this name', 'Create it: createdb --owner USER NAME.'],
  [
    /^ENOTFOUND$|^EAI_AGAIN$/,
    'unknown-host',
    'The host of the database is not known',
    'Check its name and the name server.',
  ],
  [
    /^42501$/,
    'refused',
    'The user may not create tables in this database',
    'Make it the owner: alter database NAME owner to USER.',
  ],
  [
    /CERT|SSL|TLS|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/,
    'tls',
    'No TLS connection to the database',
    'Check sslmode and sslrootcert of the URL.',
  ],
];

/** For the first connection of a start; names host and port, never user or password. */
export function connectFailure(error: unknown, place: string): StateError {
  if (isFailure(error)) return error as StateError;
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error);
  const code = (first as { readonly code?: string }).code ?? '';
  for (const [pattern, kind, message, next] of connectFaults) {
    if (pattern.test(code) || (kind === 'tls' && /SSL/.test(first.message))) {
      return new StateError(kind, `${message}.`, { where: place, next, cause: error });
    }
  }
  if (isUnavailable(error)) {
    const next = 'Is PostgreSQL running there, and does a firewall let us through?';
    return new StateError('unavailable', `The database does not answer (${code || first.message}).`, {
      where: place,
      next,
      cause: error,
    });
  }
  return new StateError('refused', `The database refused us: ${first.message}`, { where: place, cause: error });
}
