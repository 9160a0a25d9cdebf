/** Models made of code: `network_def._target_` of a bundle → what computes its answer. (Table only; each model has its own file.) */
import {
  type Grid,
  type LabelMap,
  makeVolume,
  type Segmentation,
  type SegmentedStructure,
  type Watch,
} from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import { BundleError } from '../bundle/bundle-error.js';
import type { ModelInput } from '../model-input.js';
import { centredSquare } from './centred-square.js';
import { CT_BASIC_LABELS, ctBasic } from './ct-basic/ct-basic.js';
import { nestedRings } from './nested-rings.js';

export type BuiltinModel = (input: ModelInput, bundle: Bundle, watch?: Watch) => Promise<Segmentation>;

/** The structures that the bundle names; `layerOf` says in which label map a label lies. */
function segmentation(
  bundle: Bundle,
  grid: Grid,
  layers: readonly LabelMap[],
  layerOf: (label: number) => number,
): Segmentation {
  const structures = bundle.isocenter.structures.map((entry): SegmentedStructure => {
    const { channel: _, ...structure } = entry;
    return Object.freeze({ ...structure, layer: layerOf(entry.label) });
  });
  const { size, affine } = grid;
  return Object.freeze({ kind: 'segmentation', grid: { size, affine }, layers, structures });
}

function firstVolume(input: ModelInput, bundle: Bundle): ModelInput['channels'][number]['volume'] {
  const [first] = input.channels;
  if (first) return first.volume;
  throw new BundleError('wrong-input', 'A model needs at least one channel', {
    where: `model ${bundle.name}:${bundle.version}`,
    next: `Give the channel ${bundle.isocenter.channels[0].name}`,
  });
}

/** Those that read no value are listed in looks-at-grid-only.ts. */
export const builtinModels: Readonly<Record<string, BuiltinModel>> = Object.freeze({
  'isocenter.PassThroughModel': async (input, bundle) => {
    const grid = firstVolume(input, bundle);
    return segmentation(bundle, grid, [nestedRings(grid)], () => 0);
  },
  'isocenter.Phantom': async (input, bundle) => {
    const grid = firstVolume(input, bundle);
    return segmentation(bundle, grid, [centredSquare(grid)], () => 0);
  },
  'isocenter.CtBasic': async (input, bundle, watch) => {
    const volume = firstVolume(input, bundle);
    const { size, affine } = volume;
    const { body, organs } = ctBasic(volume, watch);
    const layers = [makeVolume(body, size, affine), makeVolume(organs, size, affine)];
    return segmentation(bundle, volume, layers, (label) => (label === CT_BASIC_LABELS.body ? 0 : 1));
  },
});
