/** What a reader knows of a DICOM segmentation: segments, frames with their places, and the pixels as they lie in the file. */
import type { Vector3 } from '@isocenter/volume';
import type { Provenance } from '../iod/provenance.js';
import type { Segment } from './segments.js';

export type SegToleranceKind =
  /** A frame shows a segment that Segment Sequence does not list. */
  | 'unlisted-segment'
  /** Number of Frames and the per-frame items disagree; the smaller number was read. */
  | 'frame-count'
  /** A frame of a binary or fractional object names no segment; the only one was taken. */
  | 'unnamed-frame'
  | 'repeated-segment-number';

export interface SegTolerance {
  readonly kind: SegToleranceKind;
  readonly count: number;
  readonly where: string;
}

export interface SegFrame {
  /** Referenced Segment Number; undefined in a label map. */
  readonly segment: number | undefined;
  /** LPS mm of the centre of the first pixel; undefined where the frame has no place in the patient (a slide). */
  readonly position: Vector3 | undefined;
  /** Unit directions along a row and along a column. */
  readonly rowDirection: Vector3 | undefined;
  readonly columnDirection: Vector3 | undefined;
  /** mm between rows, mm between columns. */
  readonly pixelSpacing: readonly [number, number] | undefined;
  readonly sliceSpacing: number | undefined;
}

export interface SegObject {
  readonly kind: 'seg-object';
  readonly type: 'binary' | 'fractional' | 'labelmap';
  readonly fractionalType: string | undefined;
  /** Stored value that means 1. */
  readonly maximumFraction: number;
  readonly rows: number;
  readonly columns: number;
  /** Background (number 0) not among them. */
  readonly segments: readonly Segment[];
  readonly frames: readonly SegFrame[];
  readonly SOPInstanceUID: string;
  readonly FrameOfReferenceUID: string;
  readonly referencedSeriesUIDs: readonly string[];
  readonly provenance: Provenance | undefined;
  readonly tolerances: readonly SegTolerance[];
  /** Bits of all frames without gaps when `packed`, else one value a pixel. */
  readonly pixels: Uint8Array | Uint16Array;
  readonly packed: boolean;
}
