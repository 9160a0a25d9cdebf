export type { Bundle, Json } from './bundle/bundle.js';
export { BundleError, type BundleErrorKind } from './bundle/bundle-error.js';
export { checkInput } from './bundle/check-input.js';
export { type IsocenterKey, isocenterKeySchema } from './bundle/isocenter-key.js';
export { type LoadBundleOptions, loadBundle, shippedModels } from './bundle/load-bundle.js';
export type { ModelChannel, ModelInput } from './model-input.js';
export type { ClassificationPrediction, Prediction, SegmentationPrediction } from './prediction.js';
export { runBundle } from './run.js';
