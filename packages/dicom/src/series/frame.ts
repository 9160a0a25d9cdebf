/**
 * One 2-D image with its place in the patient, whatever file it came from: a classic single-frame instance, a frame of
 * an enhanced multi-frame object, or a tile of a Siemens mosaic. Everything after the scan works on Frames only.
 */
import type { Vector3 } from '@isocenter/volume';
import type { Dataset } from '../dataset/dataset.js';
import type { InstanceSource } from './source.js';

/** One image object (SOP Instance) as its header describes it. */
export interface Instance {
  readonly source: InstanceSource;
  readonly header: Dataset;
  readonly transferSyntaxUID: string;
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly SOPClassUID: string;
  readonly SOPInstanceUID: string;
  readonly FrameOfReferenceUID: string;
  readonly Modality: string;
  readonly ImageType: readonly string[];
  readonly PhotometricInterpretation: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  /** Declared length of native pixel data; undefined when compressed. */
  readonly pixelBytes: number | undefined;
}

/** Output = slope · stored + intercept (PS3.3 C.11.1, C.7.6.16.2.9). */
export interface Rescale {
  readonly slope: number;
  readonly intercept: number;
  /** Rescale Type, empty when not said. */
  readonly type: string;
}

/** What tells volumes at the same positions apart, from most to least telling. */
export const SPLIT_KEYS = [
  'time point',
  'echo',
  'b-value',
  'gradient direction',
  'image type',
  'stack',
  'trigger time',
  'acquisition',
  'dimension indices',
  'acquisition time',
] as const;
export type SplitKey = (typeof SPLIT_KEYS)[number];

export interface Frame {
  readonly instance: Instance;
  /** 0-based frame of the instance. */
  readonly index: number;
  /** Size of this image; smaller than the instance's for a tile of a mosaic. */
  readonly rows: number;
  readonly columns: number;
  /** Pixel of the stored image where a mosaic's tile begins. */
  readonly tile?: { readonly row: number; readonly column: number };
  /** LPS mm of the centre of the first pixel. */
  readonly position?: Vector3;
  /** Unit directions in LPS: along a row (increasing column) and along a column (increasing row). */
  readonly rowDirection?: Vector3;
  readonly columnDirection?: Vector3;
  /** mm between rows, mm between columns (DICOM's order). */
  readonly pixelSpacing?: readonly [number, number];
  /** True when the spacing is the detector's, not the patient's. */
  readonly spacingAtDetector?: boolean;
  readonly sliceThickness?: number;
  readonly spacingBetweenSlices?: number;
  readonly rescale?: Rescale;
  readonly keys: Readonly<Partial<Record<SplitKey, string>>>;
}

export function isMultiFrame(frame: Frame): boolean {
  return frame.instance.frames > 1 || frame.instance.header.has('PerFrameFunctionalGroupsSequence');
}
