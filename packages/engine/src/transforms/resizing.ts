/** Resized: interpolates to a number of voxels (specs/monai.md C.2); the default mode averages areas. */
import { composeAffines, type Grid, type ResizeMode, type Size3 } from '@isocenter/volume';
import type { Arguments } from './arguments.js';
import { moved, perKey } from './per-key.js';
import { applySpatial } from './spatial-step.js';
import type { Transform } from './transform.js';

const MODES: Readonly<Record<string, ResizeMode>> = {
  area: 'area',
  linear: 'linear',
  bilinear: 'linear',
  trilinear: 'linear',
  bicubic: 'cubic',
  nearest: 'nearest',
  'nearest-exact': 'nearest-exact',
};

export function resizing(args: Arguments): Transform {
  const keys = args.keys();
  const wanted = args.numbers('spatial_size');
  const longest = args.text('size_mode') === 'longest';
  if (!wanted || wanted.some((n) => !Number.isInteger(n)))
    throw args.error('invalid-argument', 'spatial_size must be whole numbers');
  if (longest && wanted.length !== 1) throw args.error('invalid-argument', 'size_mode "longest" needs one size');
  const modes = args.perKey(
    'mode',
    keys,
    (value) => (typeof value === 'string' ? MODES[value] : undefined),
    'area' as ResizeMode,
  );
  args.perKey('align_corners', keys, (value) => (value === false ? value : undefined), false);
  args.perKey('anti_aliasing', keys, (value) => (value === false ? value : undefined), false);
  args.get('anti_aliasing_sigma');
  return perKey(args, keys, (entry, at) => {
    const { size, rank, affine } = entry.tensor;
    const scale = longest ? wanted[0] / Math.max(...size.slice(0, rank)) : 1;
    const target = size.map((n, axis) => {
      if (axis >= rank) return n;
      if (longest) return Math.round(n * scale);
      const value = wanted[wanted.length === 1 ? 0 : axis];
      return value === undefined || value === -1 ? n : value;
    }) as unknown as Size3;
    if (target.some((n) => n < 1))
      throw args.error('invalid-argument', `spatial_size ${wanted.join(' × ')} leaves nothing`);
    const grid: Grid = { size: target, affine: resizedAffine(affine, size, target) };
    const tensor = applySpatial(entry.tensor, { kind: 'resize', mode: modes[at] }, grid);
    return moved(entry, args.name, tensor, { kind: 'resize', mode: modes[at] });
  });
}

/** Voxels are boxes whose outer faces stay: centres move by half the change of size. */
function resizedAffine(affine: readonly number[], from: Size3, to: Size3): readonly number[] {
  const scale = from.map((n, axis) => n / to[axis]);
  const shift = scale.map((s) => s / 2 - 0.5);
  return composeAffines(affine, [
    scale[0],
    0,
    0,
    shift[0],
    0,
    scale[1],
    0,
    shift[1],
    0,
    0,
    scale[2],
    shift[2],
    0,
    0,
    0,
    1,
  ]);
}
