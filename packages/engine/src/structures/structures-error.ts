/** What can go wrong when structures are read from files of any format, converted and compared. */
import { Failure } from '@isocenter/volume';

export type StructuresErrorKind =
  | 'no-structures'
  | 'several-objects'
  | 'mixed-formats'
  | 'not-a-mask'
  | 'different-grids'
  | 'needs-reference'
  | 'no-common-structure'
  | 'unknown-structure'
  | 'resampled';

export class StructuresError extends Failure<StructuresErrorKind> {}
