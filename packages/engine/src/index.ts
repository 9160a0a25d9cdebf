export { type AnswerKind, answerKindOf, looksAtSingleImages, takesFeatures } from './bundle/answer-kind.js';
export type { Bundle, Json } from './bundle/bundle.js';
export { BundleError, type BundleErrorKind } from './bundle/bundle-error.js';
export { checkInput } from './bundle/check-input.js';
export { type InferencePlan, planOf } from './bundle/inference-plan.js';
export { type IsocenterKey, isocenterKeySchema } from './bundle/isocenter-key.js';
export { listModels } from './bundle/list-models.js';
export { type LoadBundleOptions, loadBundle, shippedModels } from './bundle/load-bundle.js';
export { sayableModality } from './bundle/sayable.js';
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
export {
  type EncodedFile,
  EncodeError,
  type EncodeErrorKind,
  type EncodeOptions,
  type Encoder,
  type OutputFormat,
  type SegmentationResult,
} from './encoders/encoder.js';
export { encoders, encodersFor } from './encoders/encoders.js';
export { drawOverlay, type OverlayOptions } from './encoders/overlay/draw-overlay.js';
export { type StructureRow, structureTable } from './encoders/structure-table.js';
export { type InspectedSeries, type InspectReport, inspectStudy } from './intake/inspect-study.js';
export { IntakeError, type IntakeErrorKind } from './intake/intake-error.js';
export {
  type DicomStudy,
  type ImageFile,
  type OpenStudyOptions,
  openStudy,
  type Study,
  type VolumeStudy,
} from './intake/open-study.js';
export { type ChannelWish, type SelectedChannels, selectChannels } from './intake/select-channels.js';
export type { ModelChannel, ModelInput } from './model-input.js';
export type { PhantomKind } from './phantom/image-header.js';
export { drawPhantom, makePhantom, type Phantom, PhantomError, type PhantomOptions } from './phantom/make-phantom.js';
export type { PhantomPlane } from './phantom/phantom-grid.js';
export { makePhantomStudy } from './phantom/phantom-study.js';
export {
  annotatedPicture,
  type PictureBox,
  type PictureFinding,
  type PictureHeat,
  type PictureMask,
  type PictureOptions,
  type PictureRuler,
} from './pictures/annotated-picture.js';
export { type AnchorPoint, anchoredColours, type ColourMap, rainbow } from './pictures/colour-map.js';
export { type DisplayImage, displayImage } from './pictures/display-image.js';
export {
  PredictError,
  type PredictErrorKind,
  type PredictFormat,
  type PredictOptions,
  predictFormats,
  predictStudy,
} from './predict.js';
export type { ClassProbability, MeasuredValue, PredictReport, StudyPrediction } from './predict-report.js';
export type { ClassificationPrediction, Prediction, SegmentationPrediction } from './prediction.js';
export { type OtherReader, type Proof, ProofError, requireExact, type StructureProof } from './proof/proof.js';
export { proveNifti, proveNrrd, proveSeg } from './proof/prove-layers.js';
export { type ProveRtstructOptions, proveRtstruct } from './proof/prove-rtstruct.js';
export { runBundle } from './run.js';
export type { RunOptions } from './run-network.js';
export { builtEntry } from './runtime/built-entry.js';
export { cancelled, crashed, overMemory, overTime } from './runtime/compute-endings.js';
export { ComputeError, type ComputeErrorKind, ForwardedFailure } from './runtime/compute-error.js';
export { sweepExchangeFolders } from './runtime/exchange-folder.js';
export { ForecastError, type ForecastItem, megabytes, PROCESS_BYTES, sumOf } from './runtime/forecast.js';
export { forecastOfFile } from './runtime/forecast-of-file.js';
export { WITHOUT_TELEMETRY } from './runtime/import-onnx.js';
export { NetworkCache, warmNetwork } from './runtime/network-cache.js';
export type { NetworkRuntime, NetworkTensor, PortShape } from './runtime/network-runtime.js';
export { loadOnnx, type OnnxOptions } from './runtime/onnx-runtime.js';
export { onnxRuntimeVersion } from './runtime/onnx-version.js';
export { makeOwnedFolder, refreshOwnedFolder, sweepOwnedFolders } from './runtime/owned-folder.js';
export {
  identityIn,
  identityText,
  type Life,
  lifeOf,
  ownIdentity,
  type ProcessIdentity,
} from './runtime/process-identity.js';
export { forgetPeak, type ProcessMemory, processMemory } from './runtime/process-memory.js';
export { type ChildOptions, type ChildResult, runBundleInChild } from './runtime/run-in-child.js';
export { SegmentError, type SegmentOptions, segmentStudy } from './segment.js';
export type { SegmentReport } from './segment-report.js';
export { type SelfTestResult, selfTest } from './self-test.js';
export { openReference, type ReferenceWish, seriesWish } from './structures/open-reference.js';
export { type ReadStructures, readStructures, type StructureOrigin } from './structures/read-structures.js';
export { StructuresError, type StructuresErrorKind } from './structures/structures-error.js';
export { type ListedTensor, listWeights, type WeightsReport } from './weights/list-weights.js';
export { type OpenedWeights, openWeights } from './weights/open-weights.js';
