export type { Bundle, Json } from './bundle/bundle.js';
export { BundleError, type BundleErrorKind } from './bundle/bundle-error.js';
export { checkInput } from './bundle/check-input.js';
export { type InferencePlan, planOf } from './bundle/inference-plan.js';
export { type IsocenterKey, isocenterKeySchema } from './bundle/isocenter-key.js';
export { type LoadBundleOptions, loadBundle, shippedModels } from './bundle/load-bundle.js';
export { type Alignment, alignToGrid } from './compare/align.js';
export {
  type CompareOptions,
  type Comparison,
  compareStructures,
  type StructureComparison,
} from './compare/compare-segmentations.js';
export {
  type Conversion,
  type ConvertFormat,
  type ConvertOptions,
  type ConvertReport,
  convert,
} from './convert/convert.js';
export type { ModelChannel, ModelInput } from './model-input.js';
export type { ClassificationPrediction, Prediction, SegmentationPrediction } from './prediction.js';
export { runBundle } from './run.js';
export type { RunOptions } from './run-network.js';
export { ComputeError, type ComputeErrorKind, ForwardedFailure } from './runtime/compute-error.js';
export { ForecastError } from './runtime/forecast.js';
export { type ChildOptions, type ChildResult, runBundleInChild } from './runtime/run-in-child.js';
export { openReference, type ReferenceWish, seriesWish } from './structures/open-reference.js';
export { type ReadStructures, readStructures, type StructureOrigin } from './structures/read-structures.js';
export { StructuresError, type StructuresErrorKind } from './structures/structures-error.js';
