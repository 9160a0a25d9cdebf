/** What every reader of weights gives: names, types and shapes at once, the bytes of each tensor when they are asked for. */
import type { ElementType } from './element-type.js';
import type { Refusal } from './pickle/refusal.js';

export type WeightsFormat = 'pytorch-zip' | 'pytorch-legacy' | 'torchscript' | 'safetensors';

export interface NamedTensor {
  /** `path` joined by dots: `state_dict.model.0.conv.weight`. */
  readonly name: string;
  /** The keys on the way; a key may itself hold dots. */
  readonly path: readonly string[];
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Of all elements. */
  readonly bytes: number;
  /** Equal for two names exactly when both are the same view of the same bytes (shared weights). */
  readonly view: string;
  /** All elements, little-endian, C order. Not to be written into: tensors may share it. Throws WeightsError. */
  read(): Promise<Uint8Array>;
}

/** What stands beside the tensors: `epoch`, `best_metric` … */
export type CheckpointValue = string | number | bigint | boolean | null;

export interface Checkpoint {
  readonly format: WeightsFormat;
  /** In the order of the file. */
  readonly tensors: readonly NamedTensor[];
  /** Constants of a TorchScript archive: they have numbers, not names. */
  readonly constants: readonly NamedTensor[];
  readonly values: ReadonlyMap<string, CheckpointValue>;
  /** What the file wanted to use and did not get; its parts are left out. Empty unless `refusals: 'list'`. */
  readonly refused: readonly Refusal[];
}
