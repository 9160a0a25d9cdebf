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
export { type WriteZipOptions, writeZip, type ZipContent, zipStream } from './intake/write-zip.js';
