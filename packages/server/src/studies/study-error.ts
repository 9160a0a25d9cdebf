/** What the doors of studies refuse. */
import { Failure } from '@isocenter/volume';

export type StudyErrorKind =
  /** There is none, or it is somebody else's. */
  | 'not-found'
  /** It may be seen, but is somebody else's. */
  | 'forbidden'
  /** A job runs on it. */
  | 'in-use';

export class StudyError extends Failure<StudyErrorKind> {}

export function noStudy(): StudyError {
  return new StudyError('not-found', 'There is no such study', {
    where: 'study',
    next: 'It may have been erased because nobody used it; upload it again.',
  });
}
