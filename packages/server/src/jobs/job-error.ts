/** What the doors of jobs refuse, and how a thrown error becomes the failure that stands on a job. */
import { Failure, isFailure } from '@isocenter/volume';
import type { JobFailure } from './job.js';

export type JobErrorKind =
  | 'not-found'
  | 'ended'
  | 'not-ended'
  | 'forbidden'
  | 'input-gone'
  | 'bad-request'
  | 'message-lost';

export class JobError extends Failure<JobErrorKind> {}

/** Only a Failure may speak: texts of other errors can hold paths or values of a patient and stay in the log. */
export function failureOf(error: unknown): JobFailure {
  if (!isFailure(error))
    return {
      kind: 'internal',
      message: 'The job stopped for a reason that it does not know',
      next: 'Run it again; if it happens again, tell the administrator the id of the job: the log has more.',
    };
  return {
    kind: error.kind,
    message: error.message,
    ...(error.where === undefined ? {} : { where: error.where }),
    ...(error.next === undefined ? {} : { next: error.next }),
  };
}
