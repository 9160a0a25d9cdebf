/**
 * What a writer of RTSTRUCT, SEG, SR or secondary capture needs to know of the images it refers to: their grid, the
 * attributes that every object of the study repeats, and which instance (and frame) each slice of the grid is.
 */
import type { Grid } from '@isocenter/volume';
import type { Dataset } from '../dataset/dataset.js';
import type { Assembly } from './assemble.js';
import { SeriesError } from './errors.js';
import { isMultiFrame } from './frame.js';
import { seriesTitle } from './series.js';

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

/** What writers need to know of an assembled series, without loading its pixels. Throws SeriesError `unusable-series`. */
export function referenceFrom(assembly: Assembly): ReferenceSeries {
  const { grid, slices, series } = assembly;
  if (!grid)
    throw new SeriesError('unusable-series', `${seriesTitle(series)} has no grid that objects could refer to.`, {
      next: 'See the findings of the series.',
    });
  return {
    grid,
    header: slices[0].instance.header,
    StudyInstanceUID: series.StudyInstanceUID,
    SeriesInstanceUID: series.SeriesInstanceUID,
    FrameOfReferenceUID: series.FrameOfReferenceUID,
    Modality: series.Modality,
    slices: slices.map((slice) => ({
      SOPClassUID: slice.instance.SOPClassUID,
      SOPInstanceUID: slice.instance.SOPInstanceUID,
      ...(isMultiFrame(slice) ? { frameNumber: slice.index + 1 } : {}),
    })),
  };
}
