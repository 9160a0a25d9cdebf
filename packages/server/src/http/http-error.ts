/** What can be wrong with a request before any other area sees it. */
import { Failure, type FailureDetails } from '@isocenter/volume';

export type HttpErrorKind =
  | 'unauthenticated'
  | 'forbidden'
  | 'cross-site'
  | 'not-found'
  | 'method-not-allowed'
  | 'misdirected'
  | 'bad-request'
  | 'bad-path'
  | 'path-too-long'
  | 'headers-too-large'
  | 'validation'
  | 'not-json'
  | 'too-deep'
  | 'repeated-key'
  | 'forbidden-key'
  | 'too-large'
  | 'empty-body'
  | 'unsupported-media-type'
  | 'unsupported-encoding'
  | 'damaged-encoding'
  | 'slow-body'
  | 'incomplete-body'
  | 'timeout'
  | 'range'
  | 'too-many-uploads'
  | 'too-many-connections'
  | 'port-taken'
  | 'port-forbidden'
  | 'bad-address'
  | 'no-accounts';

/** One field that does not fit its schema; `path` never holds a key that the client made up. */
export interface FieldFault {
  readonly path: string;
  readonly fault: string;
}

export interface HttpErrorDetails extends FailureDetails {
  readonly fields?: readonly FieldFault[];
  readonly retryAfterSeconds?: number;
  /** Methods for 405, bytes for 416: headers that belong to the status. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class HttpError extends Failure<HttpErrorKind> {
  readonly fields: readonly FieldFault[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: HttpErrorKind, message: string, details: HttpErrorDetails = {}) {
    super(kind, message, details);
    this.fields = details.fields;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.headers = details.headers ?? {};
  }
}
