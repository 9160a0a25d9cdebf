/** Why a request could not be made, or why no answer came that could be checked. A wrong answer is no error but a list of faults. */
import { Failure } from '@isocenter/volume';

export type RequestErrorKind =
  | 'unreachable'
  | 'cut-off'
  | 'timed-out'
  | 'http-status'
  | 'not-ready'
  | 'answer-too-large';

export class RequestError extends Failure<RequestErrorKind> {}

/** The folder or the options hold nothing that can be sent. */
export class RequestInputError extends Failure<'no-images' | 'no-attachment' | 'unsupported-picture' | 'changed'> {}
