/** Transforms that change which axes and channels there are. */
import type { Size3 } from '@isocenter/volume';
import type { Arguments } from './arguments.js';
import { entryOf, moved, onValues, perKey } from './per-key.js';
import { applySpatial } from './spatial-step.js';
import { floatData, makeTensor } from './tensor.js';
import type { Transform } from './transform.js';
import { TransformError } from './transform-error.js';

/** The last spatial axis, when it has one voxel, is dropped: a slice becomes an image. Other axes are not. */
export function squeezeDim(args: Arguments): Transform {
  const keys = args.keys();
  const dim = args.number('dim') ?? 0;
  args.only('update_meta', true, false);
  return onValues(args, keys, (tensor) => {
    const last = dim === -1 || dim === 3;
    if (tensor.rank !== 3 || !last || tensor.size[2] !== 1)
      throw new TransformError('unsupported', `${args.name}: only a last axis of length 1 can be dropped`, {
        where: args.name,
      });
    return { ...tensor, rank: 2 };
  });
}

/** Reorders spatial axes; the channel axis stays first. */
export function transpose(args: Arguments): Transform {
  const keys = args.keys();
  const indices = args.numbers('indices') ?? [];
  if (indices[0] !== 0 || [...indices].sort().join() !== [0, 1, 2, 3].slice(0, indices.length).join())
    throw args.error('unsupported-argument', `indices [${indices.join(', ')}] must keep the channel axis first`);
  return perKey(args, keys, (entry) => {
    const order = [0, 1, 2].map((axis) => (axis + 1 < indices.length ? indices[axis + 1] - 1 : axis)) as [
      number,
      number,
      number,
    ];
    const { size, affine } = entry.tensor;
    const target = {
      size: order.map((axis) => size[axis]) as unknown as Size3,
      affine: affine.map((value, at) => (at < 12 && at % 4 < 3 ? affine[at - (at % 4) + order[at % 4]] : value)),
    };
    const flip = [false, false, false] as const;
    const tensor = applySpatial(entry.tensor, { kind: 'permute', permutation: { order, flip } }, target);
    const back = [0, 1, 2].map((axis) => order.indexOf(axis)) as [number, number, number];
    return moved(entry, args.name, tensor, { kind: 'permute', permutation: { order: back, flip } });
  });
}

/** Stacks the channels of several entries in the order of the keys. */
export function concatItems(args: Arguments): Transform {
  const keys = args.keys();
  const name = args.text('name');
  if (!name) throw args.error('invalid-argument', 'name is missing');
  args.only('dim', 0);
  args.finish();
  return {
    name: args.name,
    keys,
    apply(sample) {
      const entries = keys.map((key) => entryOf(sample, key, args.name));
      const [{ tensor: first, steps }] = entries;
      for (const { tensor } of entries)
        if (tensor.size.some((n, axis) => n !== first.size[axis]))
          throw new TransformError(
            'wrong-shape',
            `${args.name}: ${first.size.join(' × ')} and ${tensor.size.join(' × ')} voxels cannot be stacked`,
            { where: args.name },
          );
      const data = new Float32Array(entries.reduce((sum, { tensor }) => sum + tensor.data.length, 0));
      let at = 0;
      for (const { tensor } of entries) {
        data.set(tensor.data, at);
        at += tensor.data.length;
      }
      const channels = entries.reduce((sum, { tensor }) => sum + tensor.channels, 0);
      sample.set(name, { tensor: makeTensor(data, channels, first, first.rank), steps });
    },
  };
}

export function repeatChannel(args: Arguments): Transform {
  const keys = args.keys();
  const repeats = args.required('repeats');
  if (!Number.isInteger(repeats) || repeats < 1)
    throw args.error('invalid-argument', 'repeats must be a positive whole number');
  return onValues(args, keys, (tensor) => {
    const source = floatData(tensor);
    const count = source.length / tensor.channels;
    const data = new Float32Array(source.length * repeats);
    for (let channel = 0; channel < tensor.channels * repeats; channel++) {
      const from = Math.floor(channel / repeats) * count;
      data.set(source.subarray(from, from + count), channel * count);
    }
    return { ...tensor, data, channels: tensor.channels * repeats };
  });
}

/** Flips along the named spatial axes (all when none is named). */
export function flip(args: Arguments): Transform {
  const keys = args.keys();
  const axes = args.numbers('spatial_axis');
  return perKey(args, keys, (entry) => {
    const { tensor } = entry;
    const flips = [0, 1, 2].map(
      (axis) => axis < tensor.rank && (!axes || axes.some((a) => (a < 0 ? a + tensor.rank : a) === axis)),
    );
    const permutation = { order: [0, 1, 2], flip: flips as unknown as readonly [boolean, boolean, boolean] } as const;
    const affine = tensor.affine.map((value, at) => {
      if (at >= 12) return value;
      if (at % 4 < 3) return flips[at % 4] ? -value : value;
      return [0, 1, 2].reduce(
        (sum, axis) => sum + (flips[axis] ? tensor.affine[at - 3 + axis] * (tensor.size[axis] - 1) : 0),
        value,
      );
    });
    const changed = applySpatial(tensor, { kind: 'permute', permutation }, { size: tensor.size, affine });
    return moved(entry, args.name, changed, { kind: 'permute', permutation });
  });
}
