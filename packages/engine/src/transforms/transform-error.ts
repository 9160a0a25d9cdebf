/** Why a transform cannot be made or applied. */
import { Failure } from '@isocenter/volume';

export type TransformErrorKind =
  | 'invalid-argument'
  | 'unsupported-argument'
  | 'missing-key'
  | 'wrong-shape'
  | 'unsupported';

/** `where` is the transform's name and its place in the configuration. */
export class TransformError extends Failure<TransformErrorKind> {}
