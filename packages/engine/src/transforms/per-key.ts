/** Builds a Transform that treats the sample's entries one by one. */
import type { Arguments } from './arguments.js';
import type { SpatialOperation, SpatialStep } from './spatial-step.js';
import type { ChannelTensor } from './tensor.js';
import type { Pointwise, Sample, SampleEntry, Transform } from './transform.js';
import { TransformError } from './transform-error.js';

export function entryOf(sample: Sample, key: string, name: string): SampleEntry {
  const entry = sample.get(key);
  if (!entry)
    throw new TransformError('missing-key', `${name}: the sample has no entry "${key}"`, {
      where: name,
      next: `Entries here: ${[...sample.keys()].join(', ')}; name the channel or the key so that they agree`,
    });
  return entry;
}

export function perKey(
  args: Arguments,
  keys: readonly string[],
  change: (entry: SampleEntry, at: number) => SampleEntry,
): Transform {
  args.finish();
  const { name } = args;
  return {
    name,
    keys,
    apply(sample) {
      for (const [at, key] of keys.entries()) sample.set(key, change(entryOf(sample, key, name), at));
    },
  };
}

/** Intensity work: may change the numbers in place, as tensors of a sample belong to it alone. */
export function onValues(
  args: Arguments,
  keys: readonly string[],
  change: (tensor: ChannelTensor, at: number) => ChannelTensor,
): Transform {
  return perKey(args, keys, (entry, at) => ({ ...entry, tensor: change(entry.tensor, at) }));
}

/** Class-wise work on single voxels; a list of one per key is made from `make`. */
export function onVoxels(args: Arguments, keys: readonly string[], pointwise: Pointwise): Transform {
  const transform = onValues(args, keys, (tensor) => applyPointwise(tensor, pointwise));
  return keys.length === 1 ? { ...transform, pointwise } : transform;
}

export function applyPointwise(tensor: ChannelTensor, pointwise: Pointwise): ChannelTensor {
  const count = tensor.size[0] * tensor.size[1] * tensor.size[2];
  const input = tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data);
  const data = pointwise.apply(input, tensor.channels, count);
  return { ...tensor, data, channels: data.length / count };
}

/** The entry after a spatial operation, with the way back noted. */
export function moved(entry: SampleEntry, name: string, tensor: ChannelTensor, inverse: SpatialOperation): SampleEntry {
  const { size, affine, rank } = entry.tensor;
  const step: SpatialStep = { name, source: { size, affine }, rank, inverse };
  return { tensor, steps: [...entry.steps, step] };
}
