export { Dataset, type DatasetOptions, type DatasetValue } from './dataset/dataset.js';
export type { Keyword } from './dataset/dictionary.generated.js';
export type { Element } from './dataset/element.js';
export type { PixelDataElement } from './dataset/element-parser.js';
export { DicomError, type DicomErrorKind } from './dataset/errors.js';
export { DEFAULT_LIMITS, type ParseLimits } from './dataset/limits.js';
export { type DicomFile, looksLikeDicom, type ParseOptions, parseDataset, parseDicom } from './dataset/parse.js';
export { type WriteOptions, writeDataset, writeDicom } from './dataset/serialize.js';
export { formatTag, isPrivateTag, keywordOf, type Tag, tagOf } from './dataset/tag.js';
export type { Tolerance, ToleranceKind } from './dataset/tolerance.js';
export * from './dataset/transfer-syntax.js';
export { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, newUID, uidFrom } from './dataset/uid.js';
export { formatDecimal } from './dataset/value-write.js';
export type { VR } from './dataset/vr.js';
export type { ObjectOptions } from './iod/modules.js';
export { modelId, type Provenance, readProvenance } from './iod/provenance.js';
export {
  type DecodedFrames,
  decodeFrameInto,
  decodeFrames,
  type FrameReader,
  frameCount,
  openFrames,
  supportedTransferSyntaxes,
} from './pixel/decode.js';
export {
  closeDecodePool,
  type DecodeJob,
  type DecodeManyOptions,
  decodeInstancesParallel,
} from './pixel/decode-pool.js';
export { type EncodedPixels, encodeFrames, type PixelFrames, setPixelData } from './pixel/encode.js';
export { applyPalette } from './pixel/palette.js';
export type { SampleArray } from './pixel/samples.js';
export type { RtFinding, RtFindingKind } from './rtstruct/findings.js';
export type { RtstructProfile } from './rtstruct/profile.js';
export { readRtstruct } from './rtstruct/read.js';
export * from './rtstruct/structure-set.js';
export { type FilledStructureSet, type FillOptions, rtstructToSegmentation } from './rtstruct/to-segmentation.js';
export { RT_STRUCTURE_SET_STORAGE, type RtstructOptions, writeRtstruct } from './rtstruct/write.js';
export * from './sc/write.js';
export { readSeg } from './seg/read.js';
export type { SegFrame, SegObject, SegTolerance, SegToleranceKind } from './seg/seg-object.js';
export type { Segment } from './seg/segments.js';
export { type SegReadOptions, segFractions, segToSegmentation } from './seg/to-segmentation.js';
export {
  LABEL_MAP_SEGMENTATION_STORAGE,
  SEGMENTATION_STORAGE,
  type SegOptions,
  type SegType,
  writeSeg,
} from './seg/write.js';
export { type AssembleOptions, type Assembly, assembleSeries } from './series/assemble.js';
export { type Choice, chooseSeries, type Wish } from './series/choose.js';
export { SeriesError, type SeriesErrorKind } from './series/errors.js';
export * from './series/findings.js';
export type { Frame, Instance, Rescale } from './series/frame.js';
export { objectIdentity } from './series/instance.js';
export { DEFAULT_MAX_VOLUME_BYTES, type LoadedSeries, type LoadOptions, loadVolume } from './series/load.js';
export type { DicomObject, DicomObjectKind } from './series/objects.js';
export * from './series/reference.js';
export { type ListedFrames, listFrames, type Scan, scanSources } from './series/scan.js';
export { type Series, seriesTitle } from './series/series.js';
export type { InstanceSource } from './series/source.js';
export type { Units, VolumeArray } from './series/values.js';
export * from './sr/write.js';
