/**
 * Structures and where they lie. Many structures share few label maps ("layers"), so that 100 organs cost one byte a
 * voxel; structures that overlap (body and lung) lie in different layers.
 */
import type { Grid, LabelMap } from './volume.js';

/** A coded concept: Code Value, Coding Scheme Designator, Code Meaning (PS3.3 8.8). */
export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** RT ROI Interpreted Type (PS3.3 C.8.8.8); the empty string is "not said". */
export type InterpretedType =
  | ''
  | 'EXTERNAL'
  | 'ORGAN'
  | 'GTV'
  | 'CTV'
  | 'PTV'
  | 'AVOIDANCE'
  | 'MARKER'
  | 'SUPPORT'
  | (string & {});

/** A named thing that is segmented. */
export interface Structure {
  readonly name: string;
  /** sRGB, 0..255 each. */
  readonly colour: readonly [number, number, number];
  readonly interpretedType: InterpretedType;
  /** Segmented property type, e.g. SNOMED CT 39607008 "Lung". */
  readonly code?: Code;
  /** Segmented property category; writers fall back to SCT 123037004 "Anatomical Structure". */
  readonly category?: Code;
  /** Laterality and other modifiers of `code`. */
  readonly modifiers?: readonly Code[];
}

export interface SegmentedStructure extends Structure {
  /** Index into `layers`. */
  readonly layer: number;
  /** Value of this structure's voxels in that layer, 1 or more. */
  readonly label: number;
}

/** All layers lie on one grid. */
export interface Segmentation {
  readonly kind: 'segmentation';
  readonly grid: Grid;
  readonly layers: readonly LabelMap[];
  readonly structures: readonly SegmentedStructure[];
}
