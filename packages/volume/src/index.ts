export * from './box.js';
export * from './contour/fill-plane.js';
export { type FillReport, type FillRule, fillPlane } from './contour/fill-plane.js';
export * from './contour/hole-modes.js';
export { INSET } from './contour/inset.js';
export * from './contour/label-map.js';
export * from './contour/rings.js';
export {
  ContourError,
  type ContourErrorKind,
  contourArea,
  countPoints,
  type HoleMode,
  type LabelContours,
  type LabelPlane,
  type PlaneContours,
  type Ring,
  ringArea,
} from './contour/rings.js';
export * from './contour/trace-plane.js';
export { distinctColour } from './distinct-colour.js';
export * from './failure.js';
export * from './filter/gaussian.js';
export * from './filter/select.js';
export * from './geometry.js';
export * from './metrics/compare-masks.js';
export * from './metrics/overlap.js';
export * from './metrics/surface.js';
export * from './orientation.js';
export { type AxisPermutation, copyPermuted, sameTypeArray } from './permute.js';
export * from './progress.js';
export * from './regions/ball.js';
export * from './regions/components.js';
export * from './regions/distance.js';
export * from './regions/holes.js';
export * from './regions/morphology.js';
export { type Connectivity, type Foreground, findRuns, type LabelArray, paintRuns, type Runs } from './regions/runs.js';
export * from './resample/resample.js';
export * from './resample/resize.js';
export * from './resample/spacing-grid.js';
export { type AxisTaps, type Interpolation, type Outside, roundHalfEven, tapsAt } from './resample/taps.js';
export * from './segmentation.js';
export * from './structure-masks.js';
export * from './volume.js';
