/** Why a network cannot be loaded or run. */
import { Failure } from '@isocenter/volume';

export type RuntimeFailureKind =
  | 'cannot-load'
  | 'unknown-input'
  | 'missing-input'
  | 'shape-mismatch'
  | 'unsupported-type'
  | 'run-failed'
  | 'closed';

export class RuntimeFailure extends Failure<RuntimeFailureKind> {}
