/** A model package that was read and checked, but not yet run: metadata, the raw configuration, and the hashes of both halves. */
import type { IsocenterKey } from './isocenter-key.js';
import type { BundleMetadata } from './metadata.js';

/** A parsed JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Bundle {
  readonly kind: 'bundle';
  /** Identifier: `isocenter.name`, or the name of the folder. */
  readonly name: string;
  readonly version: string;
  /** Absolute path of the folder that holds `configs/`. */
  readonly folder: string;
  readonly metadata: BundleMetadata;
  readonly isocenter: IsocenterKey;
  /** `configs/inference.json` as it was written: references and expressions are evaluated when it is run. */
  readonly inference: { readonly [key: string]: Json };
  /** Absolute path of the network's weights (`models/model.onnx`, `.pt`, `.ts`), or undefined for a model made of code. */
  readonly weights: string | undefined;
  /** SHA-256 (hex) of the weights file; `none` without one. */
  readonly weightsHash: string;
  /** SHA-256 (hex) of `metadata.json` and `inference.json`. */
  readonly configurationHash: string;
}
