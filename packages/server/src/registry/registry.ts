/** The port of the model registry: family → version → structures, with the fields of SegInt (specs/protocols.md 3.3, 3.8). */
import type { Readable } from 'node:stream';
import type { Actor } from '../accounts/actor.js';
import type { ModelRef } from '../compute/compute-pool.js';
import type { ModelFamily, ModelVersion } from './model.js';

export interface Registry {
  families(): Promise<readonly ModelFamily[]>;
  family(id: string): Promise<ModelFamily | undefined>;
  /** By id or `name:version`; `name` alone is the newest active version. */
  version(idOrAddress: string): Promise<ModelVersion | undefined>;
  /** In the order of adding, newest first. */
  versions(page: {
    readonly cursor?: string;
    readonly limit: number;
    readonly familyId?: string;
    readonly state?: ModelVersion['state'];
    /** SegInt's id, which need not be unique. */
    readonly versionId?: string;
  }): Promise<{ readonly versions: readonly ModelVersion[]; readonly next?: string }>;
  /**
   * A bundle (folder, zip), a file of `exportTo`, or raw `.onnx` with form fields becomes a version, with all fields
   * filled from its metadata. The same bytes again: the same version. Throws RegistryError, BundleError, ArchiveError;
   * nothing half-added stays.
   */
  add(path: string, options: AddModel, actor: Actor): Promise<ModelVersion>;
  /** `changes`: familyChangesSchema. Throws RegistryError `not-found`, `wrong-fields`. */
  updateFamily(id: string, changes: unknown, actor: Actor): Promise<ModelFamily>;
  /** `changes`: versionChangesSchema; also retires and brings back. Throws RegistryError `not-found`, `wrong-fields`. */
  updateVersion(id: string, changes: unknown, actor: Actor): Promise<ModelVersion>;
  /** Both of these for a whole family, and its message, in one transaction. Throws RegistryError `not-found`, `wrong-fields`. */
  fill(familyId: string, changes: FamilyFilling, actor: Actor): Promise<ModelFamily>;
  /** Throws RegistryError `in-use` while jobs need it, `shipped`, `not-found`. */
  remove(id: string, actor: Actor): Promise<void>;
  /** One file that `add` of another server takes: bundle, family, version, structures, checksums. Written to `path`. */
  exportTo(id: string, path: string): Promise<void>;
  /** Unpacked on this machine and checked (`checksum-mismatch` is a RegistryError); cached by hash. */
  materialise(versionId: string, signal?: AbortSignal): Promise<ModelRef>;
  /** SegInt's bytes of a family; undefined: none stored. */
  protobuf(familyId: string): Promise<Uint8Array | undefined>;
  storeProtobuf(familyId: string, bytes: Uint8Array | undefined, actor: Actor): Promise<void>;
  /** A Python module beside a version: stored and hashed, never run. Replaces. */
  storeModule(id: string, name: string, source: AsyncIterable<Uint8Array>, actor: Actor): Promise<ModelVersion>;
  openModule(id: string): Promise<{ readonly name: string; readonly stream: Readable; readonly bytes: number }>;
}

export interface FamilyFilling {
  readonly family: unknown;
  readonly versions: readonly { readonly id: string; readonly changes: unknown }[];
  /** SegInt's message: what of it the registry has no fields for. */
  readonly protobuf: Uint8Array;
}

/** Further fields are those of the upload form (registry/onnx-form.ts). */
export interface AddModel {
  readonly fileName?: string;
  readonly form?: unknown;
  readonly signal?: AbortSignal;
}
