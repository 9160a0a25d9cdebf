/** Errors of choosing and loading a series; damage inside one file stays a DicomError. */
import { Failure } from '@isocenter/volume';

export type SeriesErrorKind =
  /** The sources hold no series of the kind that was wished. */
  | 'no-series'
  /** Several series fit the wish equally well. */
  | 'ambiguous-series'
  /** A series was named by UID or number that is not there. */
  | 'unknown-series'
  /** The chosen series has a finding of severity 'refusal'. */
  | 'unusable-series'
  /** The chosen part is not the whole series: other images of it do not fit its grid. */
  | 'fragment'
  /** The volume would be larger than the named limit. */
  | 'too-large'
  /** Some source is damaged, and slices may be missing for it. */
  | 'damaged-source'
  /** A source no longer holds what the scan saw. */
  | 'changed-source'
  /** The values cannot be turned into the units asked for (SUV). */
  | 'units';

export class SeriesError extends Failure<SeriesErrorKind> {}
