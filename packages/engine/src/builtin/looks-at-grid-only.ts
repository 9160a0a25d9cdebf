/** Which built-in models never look at a voxel's value: for them an image may come without its values. (Loads no model.) */
import type { Bundle } from '../bundle/bundle.js';

/** Keys of `builtinModels`. */
const GRID_ONLY: readonly unknown[] = ['isocenter.PassThroughModel', 'isocenter.Phantom'];

export function looksAtGridOnly({ inference }: Pick<Bundle, 'inference'>): boolean {
  const definition = inference.network_def;
  if (definition === null || typeof definition !== 'object' || Array.isArray(definition)) return false;
  return GRID_ONLY.includes((definition as { readonly [key: string]: unknown })._target_);
}
