/** What can be wrong with a NIfTI, NRRD, NumPy, PNG or CSV file. */
import { Failure } from '@isocenter/volume';

export type FormatErrorKind =
  | 'not-this-format'
  | 'truncated'
  | 'corrupt'
  | 'too-large'
  | 'unsupported-datatype'
  | 'unsupported-encoding'
  | 'unsupported-feature'
  | 'detached-data'
  | 'several-channels'
  | 'invalid-geometry'
  | 'invalid-value';

/** `where` names the format and the header field; never a value that could name a patient. */
export class FormatError extends Failure<FormatErrorKind> {}
