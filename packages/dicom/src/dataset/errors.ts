/** The one error class of the package: what cannot be read, decoded, written or trusted, by a closed kind (DESIGN §7). */
import { Failure } from '@isocenter/volume';

export type DicomErrorKind =
  /** No DICOM data set is recognised at the start of the bytes. */
  | 'not-dicom'
  /** An element, item, fragment or frame declares more bytes than are there. */
  | 'truncated'
  /** The structure breaks PS3.5 in a way that no reading can be given. */
  | 'malformed'
  /** A named limit (limits.ts) was reached: depth, elements, inflated size, pixels. */
  | 'limit'
  /** A value that we were asked to write breaks its VR's rules. */
  | 'invalid-value'
  /** A value that was read cannot be understood as the type asked for. */
  | 'unreadable-value'
  /** An attribute that the task needs is absent or empty. */
  | 'missing-attribute'
  /** Attributes contradict each other or the bytes. */
  | 'inconsistent'
  | 'unsupported-transfer-syntax'
  /** A legal combination of bits, samples or photometric interpretation that we do not decode or encode. */
  | 'unsupported-pixels'
  /** A compressed frame that the codec cannot decode, or whose header contradicts the data set. */
  | 'damaged-frame'
  /** A legal object of a kind that this operation does not take. */
  | 'unsupported-object'
  /** Slices, frames or references that do not form the geometry that the task needs. */
  | 'geometry';

/** Thrown by everything in this package. `where` is a tag, UID or offset; never a value of a patient attribute. */
export class DicomError extends Failure<DicomErrorKind> {}
