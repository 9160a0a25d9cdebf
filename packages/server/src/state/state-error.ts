/** Every fault that the state (PostgreSQL, its lock, its migrations, its backups) reports on purpose. */
import { Failure } from '@isocenter/volume';

export type StateErrorKind =
  /** The database does not answer now; the same call may work again in a moment (HTTP: 503). */
  | 'unavailable'
  /** Another server uses this data directory. */
  | 'in-use'
  | 'bad-url'
  | 'unknown-host'
  | 'refused'
  | 'wrong-password'
  | 'no-database'
  | 'tls'
  | 'database-too-old'
  /** The database was written by a newer Isocenter. */
  | 'program-too-old'
  /** The program is newer than the database, and must not migrate it. */
  | 'not-migrated'
  | 'migration-failed'
  | 'binaries-missing'
  | 'no-unprivileged-user'
  | 'data-missing'
  | 'start-failed'
  | 'bad-setting'
  | 'not-empty'
  | 'bad-backup'
  | 'backup-failed';

export class StateError extends Failure<StateErrorKind> {}
