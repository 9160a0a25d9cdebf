/** Bundles as they lie on the disk, read and checked but not run: what a registry needs; see processes.ts for why it stands alone. */

export { looksAtGridOnly } from './builtin/looks-at-grid-only.js';
export { type AnswerKind, answerKindOf, looksAtSingleImages, takesFeatures } from './bundle/answer-kind.js';
export type { Bundle, Json } from './bundle/bundle.js';
export { BundleError, type BundleErrorKind } from './bundle/bundle-error.js';
export { type InferencePlan, planOf } from './bundle/inference-plan.js';
export { type LoadBundleOptions, loadBundle, shippedModels } from './bundle/load-bundle.js';
