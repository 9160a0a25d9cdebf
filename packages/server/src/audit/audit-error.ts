/** What can be wrong with a question to the audit log, or with an entry. */
import { Failure } from '@isocenter/volume';

export type AuditErrorKind = 'bad-entry' | 'cancelled';

export class AuditError extends Failure<AuditErrorKind> {}
