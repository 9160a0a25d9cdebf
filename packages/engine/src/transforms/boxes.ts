/** Crops and pads: everything that keeps voxels and only changes which box of them is there (specs/monai.md C.2). */
import { type Grid, indexToPatient, type Size3 } from '@isocenter/volume';
import type { Arguments } from './arguments.js';
import { entryOf, moved, perKey } from './per-key.js';
import { applySpatial } from './spatial-step.js';
import type { ChannelTensor } from './tensor.js';
import type { Sample, SampleEntry, Transform } from './transform.js';
import { TransformError } from './transform-error.js';

type Triple = [number, number, number];

/** The voxels start … start + size − 1 of the entry; what lies outside is `fill`. */
function boxed(entry: SampleEntry, name: string, start: Triple, size: Triple, fill = 0): SampleEntry {
  const { tensor } = entry;
  if (size.some((n) => n < 1))
    throw new TransformError('wrong-shape', `${name}: nothing is left of the image`, { where: name });
  const origin = indexToPatient(tensor.affine, ...start);
  const affine = tensor.affine.map((value, at) => (at % 4 === 3 && at < 12 ? origin[(at - 3) / 4] : value));
  const grid: Grid = { size, affine };
  const back = { kind: 'box', start: [-start[0], -start[1], -start[2]], fill: 0 } as const;
  return moved(entry, name, applySpatial(tensor, { kind: 'box', start, fill }, grid), back);
}

const along = (tensor: ChannelTensor, each: (n: number, axis: number) => number): Triple =>
  tensor.size.map((n, axis) => (axis < tensor.rank ? each(n, axis) : n)) as Triple;
const pick = (list: readonly number[], axis: number): number => list[list.length === 1 ? 0 : axis] ?? -1;

function padTo(args: Arguments, target: (n: number, axis: number) => number): Transform {
  const keys = args.keys();
  const atEnd = args.text('method') === 'end';
  args.perKey('mode', keys, (value) => (value === 'constant' ? value : undefined), 'constant');
  const value = args.number('value') ?? args.number('constant_values') ?? 0;
  return perKey(args, keys, (entry) => {
    const size = along(entry.tensor, (n, axis) => Math.max(n, target(n, axis)));
    const start = size.map((n, axis) => (atEnd ? 0 : -Math.floor((n - entry.tensor.size[axis]) / 2)));
    return boxed(entry, args.name, start.map((n) => n + 0) as Triple, size, value);
  });
}

export function spatialPad(args: Arguments): Transform {
  const size = args.numbers('spatial_size') ?? [];
  return padTo(args, (n, axis) => (pick(size, axis) > 0 ? pick(size, axis) : n));
}

export function divisiblePad(args: Arguments): Transform {
  const k = args.numbers('k') ?? [];
  return padTo(args, (n, axis) => (pick(k, axis) > 0 ? Math.ceil(n / pick(k, axis)) * pick(k, axis) : n));
}

export function centerSpatialCrop(args: Arguments): Transform {
  const keys = args.keys();
  const roi = args.numbers('roi_size') ?? [];
  return perKey(args, keys, (entry) => {
    const size = along(entry.tensor, (n, axis) => (pick(roi, axis) > 0 ? Math.min(n, pick(roi, axis)) : n));
    const start = entry.tensor.size.map((n, axis) => Math.max(Math.floor(n / 2) - Math.floor(size[axis] / 2), 0));
    return boxed(entry, args.name, start as Triple, size);
  });
}

/** By roi_start and roi_end, or by roi_center and roi_size; the box is clipped to the image. */
export function spatialCrop(args: Arguments): Transform {
  const keys = args.keys();
  const [centre, extent] = [args.numbers('roi_center'), args.numbers('roi_size')];
  const [from, to] = [args.numbers('roi_start'), args.numbers('roi_end')];
  if (!(centre && extent) && !(from && to))
    throw args.error('invalid-argument', 'give roi_start and roi_end, or roi_center and roi_size');
  const first = (axis: number) =>
    centre && extent ? pick(centre, axis) - Math.floor(pick(extent, axis) / 2) : pick(from!, axis);
  const end = (axis: number) => (centre && extent ? Math.max(0, first(axis)) + pick(extent, axis) : pick(to!, axis));
  return perKey(args, keys, (entry) => {
    const { size: image, rank } = entry.tensor;
    const start = image.map((n, axis) => (axis < rank ? Math.min(n, Math.max(0, first(axis))) : 0)) as Triple;
    return boxed(
      entry,
      args.name,
      start,
      along(entry.tensor, (n, axis) => Math.min(n, end(axis)) - start[axis]),
    );
  });
}

/** The box of what is above zero in any channel of `source_key`, with a margin, for all keys. */
export function cropForeground(args: Arguments, monaiBefore15: boolean): Transform {
  const keys = args.keys();
  const sourceKey = args.text('source_key') ?? keys[0];
  const margin = args.numbers('margin') ?? [0];
  const divisible = args.numbers('k_divisible') ?? [1];
  const clipped = args.flag('allow_smaller', monaiBefore15);
  const modes = args.perKey('mode', keys, (value) => (typeof value === 'string' ? value : undefined), 'constant');
  args.only('select_fn');
  args.only('channel_indices');
  args.finish();
  const { name } = args;
  return {
    name,
    keys,
    apply(sample: Sample) {
      const source = entryOf(sample, sourceKey, name).tensor;
      const found = foregroundBox(source);
      if (!found)
        throw new TransformError('wrong-shape', `${name}: nothing in the image is above zero`, { where: name });
      const start: Triple = [0, 0, 0];
      const size: Triple = [1, 1, 1];
      for (let axis = 0; axis < 3; axis++) {
        if (axis >= source.rank) continue;
        const grow = pick(margin, axis);
        let low = found.low[axis] - grow;
        let high = found.high[axis] + 1 + grow;
        if (clipped) [low, high] = [Math.max(0, low), Math.min(source.size[axis], high)];
        const k = Math.max(1, pick(divisible, axis));
        size[axis] = Math.ceil((high - low) / k) * k;
        start[axis] = low - Math.floor((size[axis] - (high - low)) / 2);
      }
      for (const [at, key] of keys.entries()) {
        const entry = entryOf(sample, key, name);
        const outside = start.some((s, axis) => s < 0 || s + size[axis] > entry.tensor.size[axis]);
        if (outside && modes[at] !== 'constant')
          throw new TransformError(
            'unsupported',
            `${name}: padding by "${modes[at]}" is not supported, and the box passes the image`,
            { where: name },
          );
        sample.set(key, boxed(entry, name, start, size));
      }
    },
  };
}

function foregroundBox({ data, size, channels }: ChannelTensor): { low: Triple; high: Triple } | undefined {
  const [ni, nj, nk] = size as Size3;
  const low: Triple = [ni, nj, nk];
  const high: Triple = [-1, -1, -1];
  let at = 0;
  for (let channel = 0; channel < channels; channel++)
    for (let k = 0; k < nk; k++)
      for (let j = 0; j < nj; j++, at += ni) {
        let first = 0;
        while (first < ni && !(data[at + first] > 0)) first++;
        if (first === ni) continue;
        let last = ni - 1;
        while (!(data[at + last] > 0)) last--;
        if (first < low[0]) low[0] = first;
        if (last > high[0]) high[0] = last;
        if (j < low[1]) low[1] = j;
        if (j > high[1]) high[1] = j;
        if (k < low[2]) low[2] = k;
        if (k > high[2]) high[2] = k;
      }
  return high[0] < 0 ? undefined : { low, high };
}
