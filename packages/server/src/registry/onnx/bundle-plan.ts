/** What is known about a network before its bundle is written. */
import type { OnnxForm } from '../onnx-form.js';
import { RegistryError } from '../registry-error.js';
import type { CheckedOnnx } from './check-onnx.js';

/** Names of the numbers that come out, in order: channels of masks, classes, or values. */
export interface PlannedOutputs {
  readonly channels: number;
  readonly names: readonly string[];
}

export interface FeaturePlan {
  readonly features: readonly string[];
  /** Shape of the trial run. */
  readonly trial: readonly number[];
  outputsOf(checked: CheckedOnnx): PlannedOutputs;
}

export interface ImagePlan {
  readonly form: OnnxForm;
  /** Spatial axes that the network sees. */
  readonly rank: 2 | 3;
  readonly channels: readonly string[];
  /** Spatial sizes that the graph fixes; undefined where they may vary. */
  readonly fixed: readonly (number | undefined)[];
  readonly window: 'whole' | readonly number[];
  readonly trial: readonly number[];
  outputsOf(checked: CheckedOnnx): PlannedOutputs;
}

export function wrongForm(where: string, message: string, next: string): RegistryError {
  return new RegistryError('wrong-form', message, { where, next });
}
