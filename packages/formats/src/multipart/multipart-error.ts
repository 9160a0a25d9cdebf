/** What can be wrong with a multipart body (RFC 2046 §5.1), its headers, or the wish to write one. */
import { Failure } from '@isocenter/volume';

export type MultipartErrorKind =
  | 'not-multipart'
  | 'bad-boundary'
  | 'bad-header'
  | 'truncated'
  | 'too-many-parts'
  | 'too-large'
  | 'not-text';

/** `where` names the part by its number from 0 and never repeats what the client sent. */
export class MultipartError extends Failure<MultipartErrorKind> {}
