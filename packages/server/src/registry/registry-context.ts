/** What every part of the registry works with. */
import type { AuditLog } from '../audit/audit-log.js';
import type { Blobs } from '../blobs/blobs.js';
import type { Database, Executor } from '../state/database.js';
import type { ModelCache } from './model-cache.js';
import type { OnnxBundleOptions } from './onnx/make-onnx-bundle.js';

export interface RegistryContext {
  readonly db: Database;
  readonly blobs: Blobs;
  readonly audit: AuditLog;
  readonly cache: ModelCache;
  readonly cacheFolder: string;
  /** The program's own `models/`. */
  readonly shippedModels: string;
  readonly clock: () => Date;
  /** Do queued or running jobs refer to this version? */
  readonly isNeeded: (versionId: string, executor: Executor) => Promise<boolean>;
  readonly onnx: OnnxBundleOptions;
}
