/** Brings a segmentation onto another grid so that two of them can be compared voxel by voxel. */
import {
  type Grid,
  orientationOf,
  permutationBetween,
  permuteAxes,
  permuteGrid,
  resample,
  type Segmentation,
  sameGrid,
} from '@isocenter/volume';

/** How the voxels came onto the grid: unchanged, turned (lossless), or sampled at the nearest voxel (not lossless). */
export type Alignment = 'same-grid' | 'reoriented' | 'resampled';

/**
 * The segmentation on `grid`. A grid that only runs along its axes in another order or direction (NIfTI against DICOM) is
 * turned without loss; any other is sampled at the nearest voxel, outside of its own grid as background.
 */
export function alignToGrid(
  segmentation: Segmentation,
  grid: Grid,
): { segmentation: Segmentation; alignment: Alignment } {
  if (sameGrid(segmentation.grid, grid))
    return { segmentation: onto(segmentation, grid, (layer) => layer), alignment: 'same-grid' };
  const permutation = permutationBetween(orientationOf(segmentation.grid.affine), orientationOf(grid.affine));
  if (sameGrid(permuteGrid(segmentation.grid, permutation), grid))
    return {
      segmentation: onto(segmentation, grid, (layer) => permuteAxes(layer, permutation)),
      alignment: 'reoriented',
    };
  const sampled = (layer: Segmentation['layers'][number]) =>
    resample(layer, grid, { interpolation: 'nearest', outside: { constant: 0 } });
  return { segmentation: onto(segmentation, grid, sampled), alignment: 'resampled' };
}

type Layer = Segmentation['layers'][number];

/** Each layer moved by `move`; all get the affine of `grid` itself, so that later comparisons are exact. */
function onto(segmentation: Segmentation, grid: Grid, move: (layer: Layer) => Layer): Segmentation {
  const { size, affine } = grid;
  return {
    ...segmentation,
    grid: { size, affine },
    layers: segmentation.layers.map((layer) => ({ ...move(layer), size, affine })),
  };
}
