export { type ReadCsvOptions, readCsv, readCsvRecords } from './csv/read-csv.js';
export { type CsvCell, type WriteCsvOptions, writeCsv } from './csv/write-csv.js';
export { FormatError, type FormatErrorKind } from './format-error.js';
export { ArchiveError, type ArchiveErrorKind } from './intake/archive-error.js';
export { DEFAULT_INTAKE_LIMITS, type IntakeLimits } from './intake/limits.js';
export {
  gunzipBytes,
  isGzip,
  type OpenedSources,
  type OpenOptions,
  openSources,
  type SourcesOrigin,
} from './intake/open-sources.js';
export {
  type ByteSource,
  bufferSource,
  DEFAULT_CONCURRENT_READS,
  displayName,
  fileSource,
  mapConcurrently,
} from './intake/source.js';
export { type StoredContent, type StoredZip, storedZip } from './intake/stored-zip.js';
export { type WriteZipOptions, writeZip, type ZipContent, type ZipStreamed, zipStream } from './intake/write-zip.js';
export { boundaryOf, isLegalBoundary, parameterText, parseHeaderValue, quoted } from './multipart/header-value.js';
export { MultipartError, type MultipartErrorKind } from './multipart/multipart-error.js';
export { type MultipartLimits, MultipartParser, type PartHeaders } from './multipart/multipart-parser.js';
export { type MultipartPart, partBytes, readMultipart } from './multipart/read-multipart.js';
export { boundaryOccurs, newBoundary, type WrittenPart, writeMultipart } from './multipart/write-multipart.js';
export { isNifti, type NiftiHeader, parseNiftiHeader } from './nifti/nifti-header.js';
export { type NiftiImage, niftiSampleBytes, type ReadNiftiOptions, readNifti } from './nifti/read-nifti.js';
export { type WriteNiftiOptions, writeNifti } from './nifti/write-nifti.js';
export { isNrrd, MAX_HEADER_BYTES as NRRD_HEADER_BYTES } from './nrrd/nrrd-header.js';
export { type NrrdImage, type ReadNrrdOptions, readNrrd, readNrrdGrid } from './nrrd/read-nrrd.js';
export { type WriteNrrdOptions, writeNrrd } from './nrrd/write-nrrd.js';
export { type NpyArray, readNpy, writeNpy } from './numpy/npy.js';
export { isNpy } from './numpy/npy-header.js';
export { readNpz, writeNpz } from './numpy/npz.js';
export { OutputError, type OutputErrorKind } from './output/output-error.js';
export { OutputFolder, type OutputFolderOptions } from './output/output-folder.js';
export { safeFileName } from './output/safe-file-name.js';
export { writeFileAtomic } from './output/write-file-atomic.js';
export { decodePng, type PngImage } from './png/decode-png.js';
export { encodePng } from './png/encode-png.js';
export { isPng } from './png/png-chunks.js';
export { gzipParts } from './voxels/gzip-parts.js';
