/** What a reader knows of an RT Structure Set: ROIs with their contours in LPS mm, and every liberty that was taken. */
import type { Code, InterpretedType } from '@isocenter/volume';

/** Something in the file that breaks the standard or contradicts itself, and that was read all the same. */
export type RtToleranceKind =
  /** A contour or observation names an ROI number that the structure set does not list; the ROI was made up. */
  | 'unlisted-roi'
  /** Two ROIs have one number; the later one keeps its contours only by position in the file. */
  | 'repeated-roi-number'
  /** An ROI without observation: its interpreted type is not known. */
  | 'missing-observation'
  | 'missing-roi-name'
  /** Number of Contour Points is not what Contour Data holds; the data is believed. */
  | 'wrong-point-count'
  /** Contour Data does not divide by three; the rest was dropped. */
  | 'incomplete-point'
  | 'missing-geometric-type'
  | 'unreadable-contour-data'
  | 'empty-contour-data'
  | 'unreadable-colour';

export interface RtTolerance {
  readonly kind: RtToleranceKind;
  readonly count: number;
  /** First place: ROI number and contour. */
  readonly where: string;
}

export interface RtContour {
  /** x, y, z of each point in LPS mm. */
  readonly points: Float64Array;
  /** CLOSED_PLANAR, CLOSEDPLANAR_XOR, OPEN_PLANAR, OPEN_NONPLANAR, POINT (PS3.3 C.8.8.6.3). */
  readonly geometricType: string;
  /** Images that the contour says it lies on. */
  readonly referencedSOPInstanceUIDs: readonly string[];
}

export interface RtRoi {
  readonly number: number;
  readonly name: string;
  readonly colour?: readonly [number, number, number];
  readonly interpretedType: InterpretedType;
  readonly generationAlgorithm: string;
  readonly frameOfReferenceUID: string;
  readonly code?: Code;
  readonly category?: Code;
  readonly modifiers: readonly Code[];
  /** In file order. */
  readonly contours: readonly RtContour[];
}

export interface RtStructureSet {
  readonly kind: 'rt-structure-set';
  readonly SOPInstanceUID: string;
  readonly StudyInstanceUID: string;
  readonly label: string;
  readonly name: string;
  /** Frames of reference that the set names. */
  readonly frameOfReferenceUIDs: readonly string[];
  /** Series whose images the set was drawn on. */
  readonly referencedSeriesUIDs: readonly string[];
  readonly rois: readonly RtRoi[];
  readonly tolerances: readonly RtTolerance[];
}
