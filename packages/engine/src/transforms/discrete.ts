/** AsDiscreted: argmax, then one-hot, then threshold, then rounding, as far as asked for (specs/monai.md C.4). */
import { roundHalfEven } from '@isocenter/volume';
import type { Arguments } from './arguments.js';
import { onVoxels } from './per-key.js';
import type { Pointwise, Transform } from './transform.js';

export function asDiscrete(args: Arguments): Transform {
  const keys = args.keys();
  const [argmax] = args.perKey('argmax', keys, (value) => (typeof value === 'boolean' ? value : undefined), false);
  const [classes] = args.perKey<number | undefined>(
    'to_onehot',
    keys,
    (value) => (typeof value === 'number' ? value : undefined),
    undefined,
  );
  const [threshold] = args.perKey<number | undefined>(
    'threshold',
    keys,
    (value) => (typeof value === 'number' ? value : undefined),
    undefined,
  );
  const rounding = args.text('rounding');
  if (rounding !== undefined && rounding !== 'torchrounding')
    throw args.error('invalid-argument', `rounding "${rounding}" is not known`);
  args.only('dim', 0);
  args.only('keepdim', true);
  const pointwise: Pointwise = {
    channelsOut: (channels) => classes ?? (argmax ? 1 : channels),
    largest(channels) {
      if (threshold !== undefined || classes !== undefined) return 1;
      return argmax ? channels - 1 : undefined;
    },
    apply(data, channels, count) {
      let current = argmax ? argmaxOf(data, channels, count) : data;
      if (classes !== undefined) current = oneHot(current, classes, count);
      if (threshold !== undefined)
        for (let at = 0; at < current.length; at++) current[at] = current[at] >= threshold ? 1 : 0;
      if (rounding) for (let at = 0; at < current.length; at++) current[at] = roundHalfEven(current[at]);
      return current;
    },
  };
  return onVoxels(args, keys, pointwise);
}

/** The first channel that has the largest value. */
function argmaxOf(data: Float32Array, channels: number, count: number): Float32Array {
  const best = data.slice(0, count);
  const out = new Float32Array(count);
  for (let channel = 1; channel < channels; channel++) {
    const base = channel * count;
    for (let voxel = 0; voxel < count; voxel++)
      if (data[base + voxel] > best[voxel]) {
        best[voxel] = data[base + voxel];
        out[voxel] = channel;
      }
  }
  return out;
}

function oneHot(labels: Float32Array, classes: number, count: number): Float32Array {
  const out = new Float32Array(classes * count);
  for (let voxel = 0; voxel < count; voxel++) out[labels[voxel] * count + voxel] = 1;
  return out;
}
