/** Spacingd: resamples to a voxel spacing (specs/monai.md C.2). The grid is that of volume/resample/spacing-grid.ts. */
import { spacingGrid } from '@isocenter/volume';
import type { Arguments } from './arguments.js';
import { moved, perKey } from './per-key.js';
import { applySpatial, type SpatialMode } from './spatial-step.js';
import type { Transform } from './transform.js';

/** MONAI's names and spline orders. */
export function spatialMode(value: unknown): SpatialMode | undefined {
  if (value === 'bilinear' || value === 'trilinear' || value === 1) return 'linear';
  if (value === 'nearest' || value === 0) return 'nearest';
  if (value === 'bicubic') return 'cubic';
  return undefined;
}

export function spacing(args: Arguments): Transform {
  const keys = args.keys();
  const pixdim = args.numbers('pixdim');
  if (!pixdim || pixdim.length === 0) throw args.error('invalid-argument', 'pixdim is missing');
  const modes = args.perKey('mode', keys, spatialMode, 'linear' as SpatialMode);
  args.perKey('padding_mode', keys, (value) => (value === 'border' ? value : undefined), 'border');
  args.perKey('align_corners', keys, (value) => (typeof value === 'boolean' ? value : undefined), false);
  args.only('diagonal', false);
  args.only('scale_extent', false);
  args.only('recompute_affine', false);
  args.only('ensure_same_shape', true, false);
  args.only('min_pixdim');
  args.only('max_pixdim');
  return perKey(args, keys, (entry, at) => {
    const target = spacingGrid(entry.tensor, pixdim);
    if (target === entry.tensor) return entry;
    const tensor = applySpatial(entry.tensor, { kind: 'resample', mode: modes[at] }, target);
    return moved(entry, args.name, tensor, { kind: 'resample', mode: modes[at] });
  });
}
