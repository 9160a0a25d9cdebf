/** Activationsd: sigmoid, softmax over the channels (specs/monai.md C.4). */
import type { Arguments } from './arguments.js';
import { onVoxels } from './per-key.js';
import type { Pointwise, Transform } from './transform.js';

const sigmoid: Pointwise = {
  channelsOut: (channels) => channels,
  largest: () => undefined,
  apply(data) {
    for (let at = 0; at < data.length; at++) data[at] = 1 / (1 + Math.exp(-data[at]));
    return data;
  },
};

/** Shifted by the largest of each voxel, so that nothing overflows. */
const softmax: Pointwise = {
  channelsOut: (channels) => channels,
  largest: () => undefined,
  apply(data, channels, count) {
    for (let voxel = 0; voxel < count; voxel++) {
      let largest = -Infinity;
      for (let at = voxel; at < data.length; at += count) if (data[at] > largest) largest = data[at];
      let sum = 0;
      for (let at = voxel; at < data.length; at += count) {
        const value = Math.exp(data[at] - largest);
        data[at] = value;
        sum += value;
      }
      const scale = 1 / sum;
      for (let channel = 0, at = voxel; channel < channels; channel++, at += count) data[at] *= scale;
    }
    return data;
  },
};

export function activations(args: Arguments): Transform {
  const keys = args.keys();
  const [useSigmoid] = args.perKey('sigmoid', keys, (value) => (typeof value === 'boolean' ? value : undefined), false);
  const [useSoftmax] = args.perKey('softmax', keys, (value) => (typeof value === 'boolean' ? value : undefined), false);
  args.only('other');
  args.only('dim', 0);
  if (useSigmoid === useSoftmax) throw args.error('invalid-argument', 'one of sigmoid and softmax must be chosen');
  return onVoxels(args, keys, useSigmoid ? sigmoid : softmax);
}
