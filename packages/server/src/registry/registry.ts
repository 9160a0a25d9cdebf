/** The port of the model registry: family → version → structures, with the fields of SegInt (specs/protocols.md 3.3, 3.8). */
import type { Actor } from '../accounts/actor.js';
import type { ModelRef } from '../compute/compute-pool.js';
import type { ModelFamily, ModelVersion } from './model.js';

export interface Registry {
  families(): Promise<readonly ModelFamily[]>;
  family(id: string): Promise<ModelFamily | undefined>;
  /** By id or `name:version`; `name` alone is the newest active version. */
  version(idOrAddress: string): Promise<ModelVersion | undefined>;
  versions(page: {
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<{ readonly versions: readonly ModelVersion[]; readonly next?: string }>;
  /**
   * A bundle (folder, zip) or raw `.onnx` with form fields becomes a version, with all fields filled from its metadata.
   * The same bytes again: the same version. Throws RegistryError and BundleError; nothing half-added stays.
   */
  add(path: string, options: AddModel, actor: Actor): Promise<ModelVersion>;
  updateFamily(id: string, changes: unknown, actor: Actor): Promise<ModelFamily>;
  updateVersion(id: string, changes: unknown, actor: Actor): Promise<ModelVersion>;
  /** Refused while jobs need it. */
  remove(id: string, actor: Actor): Promise<void>;
  /** One file that `add` of another server takes: bundle, family, version, structures, checksums. Written to `path`. */
  exportTo(id: string, path: string): Promise<void>;
  /** Unpacked on this machine and checked (checksum-mismatch is a RegistryError); cached by hash. */
  materialise(versionId: string, signal?: AbortSignal): Promise<ModelRef>;
}

/** Further fields are those of the upload form (registry/onnx-form.ts). */
export interface AddModel {
  readonly fileName?: string;
  readonly form?: unknown;
}
