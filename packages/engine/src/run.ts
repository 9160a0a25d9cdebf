/**
 * From a bundle and its input to a Prediction, in this process: built-in models are called, networks go through
 * transforms → runtime → inferer → post-processing. `runBundleInChild` (runtime/) does the same under hard limits.
 */
import type { Watch } from '@isocenter/volume';
import { builtinModels } from './builtin/builtin-models.js';
import type { Bundle } from './bundle/bundle.js';
import { checkInput } from './bundle/check-input.js';
import type { ModelInput } from './model-input.js';
import type { Prediction } from './prediction.js';
import { type RunOptions, runNetwork } from './run-network.js';

/** Throws BundleError (`wrong-input`, `unsupported-target`, …) and whatever the stages throw; all are Failures. */
export async function runBundle(
  bundle: Bundle,
  input: ModelInput,
  watch: Watch = {},
  options: RunOptions = {},
): Promise<Prediction> {
  watch.signal?.throwIfAborted();
  checkInput(bundle, input);
  const target = builtinTargetOf(bundle);
  if (target) return { kind: 'segmentation', segmentation: await builtinModels[target](input, bundle, watch) };
  return runNetwork(bundle, input, watch, options);
}

/** The key of `builtinModels` that the bundle's `network_def` names, if it names one. */
export function builtinTargetOf(bundle: Bundle): string | undefined {
  const definition = bundle.inference.network_def;
  if (definition === null || typeof definition !== 'object' || Array.isArray(definition)) return undefined;
  const target = (definition as { readonly [key: string]: unknown })._target_;
  return typeof target === 'string' && Object.hasOwn(builtinModels, target) ? target : undefined;
}
