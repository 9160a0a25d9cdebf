/** Why a model package cannot be read or run. */
import { Failure } from '@isocenter/volume';

export type BundleErrorKind =
  | 'not-found'
  | 'missing-file'
  | 'not-json'
  | 'invalid-metadata'
  | 'invalid-configuration'
  | 'unsupported-configuration'
  | 'unsupported-target'
  | 'unsupported-weights'
  | 'checksum-mismatch'
  | 'outside-bundle'
  | 'archive'
  | 'wrong-input';

/** `where` is the file and, where known, the path of ids inside it. */
export class BundleError extends Failure<BundleErrorKind> {}
