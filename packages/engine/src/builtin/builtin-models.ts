/** Models made of code: `network_def._target_` of a bundle → what computes its answer. (Table only; each model has its own file.) */
import type { Segmentation, Watch } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import type { ModelInput } from '../model-input.js';

export type BuiltinModel = (input: ModelInput, bundle: Bundle, watch?: Watch) => Promise<Segmentation>;

export const builtinModels: Readonly<Record<string, BuiltinModel>> = {};
