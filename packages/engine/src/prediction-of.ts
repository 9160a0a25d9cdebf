/** What post-processing left, in the words of the bundle: structures by label or by channel, or classes. */
import { type Grid, type LabelMap, makeVolume, type SegmentedStructure, voxelCount } from '@isocenter/volume';
import type { Bundle } from './bundle/bundle.js';
import { BundleError } from './bundle/bundle-error.js';
import type { IsocenterKey } from './bundle/isocenter-key.js';
import type { Prediction } from './prediction.js';
import type { ChannelTensor, TensorData } from './transforms/tensor.js';

type StructureKey = IsocenterKey['structures'][number];

/** `grid` is that of the first channel. Throws BundleError `invalid-configuration` when labels are not whole numbers. */
export function predictionOf(bundle: Bundle, tensor: ChannelTensor, grid: Grid): Prediction {
  if (tensor.rank === 0) {
    const names = bundle.isocenter.classes;
    return {
      kind: 'classification',
      classes: Array.from(tensor.data, (probability, at) => ({ name: names[at]?.name ?? `class ${at}`, probability })),
    };
  }
  const { structures } = bundle.isocenter;
  if (tensor.size.some((n, axis) => n !== grid.size[axis]))
    throw new BundleError(
      'invalid-configuration',
      `The result has ${tensor.size.join(' × ')} voxels, the image ${grid.size.join(' × ')}`,
      {
        where: `model ${bundle.name}:${bundle.version}`,
        next: 'Add Invertd to the post-processing',
      },
    );
  if (tensor.channels === 1) {
    const layer = makeVolume(labelsOf(tensor.data, bundle), grid.size, grid.affine);
    return {
      kind: 'segmentation',
      segmentation: {
        kind: 'segmentation',
        grid,
        layers: [layer],
        structures: structures.map((structure) => segmented(structure, 0, structure.label)),
      },
    };
  }
  return { kind: 'segmentation', segmentation: { kind: 'segmentation', grid, ...packMasks(tensor, structures, grid) } };
}

/** Masks that do not overlap share a layer. */
function packMasks(
  tensor: ChannelTensor,
  structures: readonly StructureKey[],
  grid: Grid,
): { layers: LabelMap[]; structures: SegmentedStructure[] } {
  const count = voxelCount(grid.size);
  const wide = structures.some(({ label }) => label > 255);
  const layers: (Uint8Array | Uint16Array)[] = [];
  const placed = structures.map((structure) => {
    const channel = structure.channel ?? structure.label;
    const mask = tensor.data.subarray(channel * count, (channel + 1) * count);
    let layer = layers.findIndex((candidate) => !overlaps(candidate, mask));
    if (layer < 0) layer = layers.push(wide ? new Uint16Array(count) : new Uint8Array(count)) - 1;
    const target = layers[layer];
    for (let at = 0; at < mask.length; at++) if (mask[at] !== 0) target[at] = structure.label;
    return segmented(structure, layer, structure.label);
  });
  return { layers: layers.map((data) => makeVolume(data, grid.size, grid.affine)), structures: placed };
}

function overlaps(layer: Uint8Array | Uint16Array, mask: TensorData): boolean {
  for (let at = 0; at < mask.length; at++) if (mask[at] !== 0 && layer[at] !== 0) return true;
  return false;
}

function segmented(structure: StructureKey, layer: number, label: number): SegmentedStructure {
  const { name, colour, interpretedType, code, category, modifiers } = structure;
  return {
    name,
    colour,
    interpretedType,
    ...(code && { code }),
    ...(category && { category }),
    ...(modifiers && { modifiers }),
    layer,
    label,
  };
}

function labelsOf(data: TensorData, bundle: Bundle): Uint8Array | Uint16Array {
  if (!(data instanceof Float32Array)) return data;
  const out = new Uint16Array(data.length);
  let largest = 0;
  for (let at = 0; at < data.length; at++) {
    // Labels that were interpolated on their way back are rounded, as MONAI does on saving them as integers.
    const value = Math.round(data[at]);
    if (!(value >= 0 && value <= 65535))
      throw new BundleError('invalid-configuration', `The result is no label map: it has the value ${data[at]}`, {
        where: `model ${bundle.name}:${bundle.version}`,
        next: 'End the post-processing with AsDiscreted',
      });
    out[at] = value;
    if (value > largest) largest = value;
  }
  return largest <= 255 ? Uint8Array.from(out) : out;
}
