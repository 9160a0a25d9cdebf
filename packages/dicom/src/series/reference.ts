/**
 * What a writer of RTSTRUCT, SEG, SR or secondary capture needs to know of the images it refers to: their grid, the
 * attributes that every object of the study repeats, and which instance (and frame) each slice of the grid is.
 */
import type { Grid } from '@isocenter/volume';
import type { Dataset } from '../dataset/dataset.js';

/** The image that holds one slice of the grid. */
export interface SliceReference {
  readonly SOPClassUID: string;
  readonly SOPInstanceUID: string;
  /** 1-based frame of a multi-frame instance (PS3.3 10.3 Referenced Frame Number); absent for single-frame images. */
  readonly frameNumber?: number;
}

export interface ReferenceSeries {
  /** size = [Columns, Rows, slices]; affine maps voxel-centre indices to LPS mm. */
  readonly grid: Grid;
  /** Attributes of the first slice (k = 0) without pixel data: patient, study, equipment, frame of reference. */
  readonly header: Dataset;
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  /** Empty when the images do not say it. */
  readonly FrameOfReferenceUID: string;
  readonly Modality: string;
  /** Indexed by k of the grid. */
  readonly slices: readonly SliceReference[];
}
