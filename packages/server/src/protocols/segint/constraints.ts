/** What a family says of its input channels, enforced in strict mode; the old server stated it and looked at none of it. */
import type { InputChannel } from '../../registry/schemas.js';
import { SegintJobError } from './errors.js';
import type { ChannelOutline, Point } from './input-message.js';
import type { Size } from './input-volume.js';

/** Rounding of spacings in DICOM and in floats. */
const TOLERANCE_MM = 1e-3;
/** Cosine of what still counts as the same direction. */
const SAME_DIRECTION = 0.999;

/** Throws SegintJobError `constraints`. The message says nothing of modality or of how images were made. */
export function checkConstraints(
  { CalibratedVolume }: ChannelOutline,
  size: Size,
  rules: InputChannel | undefined,
  where: string,
): void {
  const { DataType = 0 } = CalibratedVolume?.Volume ?? {};
  if (DataType !== 0) throw refusal('the voxels are not signed 16-bit numbers', where);
  if (size.includes(0)) throw refusal('the volume has no voxels', where);
  if (!rules) return;
  const { spacingMin, spacingMax, dimensionsMin, dimensionsMax, isAxial } = rules.constraints;
  const transform = CalibratedVolume?.DataTransform;
  const scaling = transform?.VoxelScalingInMM;
  const spacing = [scaling?.X ?? 0, scaling?.Y ?? 0, scaling?.Z ?? 0];
  outside(spacing, spacingMin, spacingMax, TOLERANCE_MM, 'spacing in mm', where);
  outside(size, dimensionsMin, dimensionsMax, 0, 'number of voxels', where);
  if (isAxial && !isAxialTransform([transform?.XAxisDirection, transform?.YAxisDirection, transform?.ZAxisDirection]))
    throw refusal('the slices are not axial', where);
}

interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

function outside(
  values: readonly number[],
  low: Vector,
  high: Vector,
  tolerance: number,
  what: string,
  where: string,
): void {
  for (const [n, axis] of (['x', 'y', 'z'] as const).entries()) {
    const value = values[n] ?? 0;
    if (value >= low[axis] - tolerance && value <= high[axis] + tolerance) continue;
    throw refusal(`the ${what} along ${axis} is ${value}, not ${low[axis]} to ${high[axis]}`, where);
  }
}

function isAxialTransform(axes: readonly (Point | undefined)[]): boolean {
  const along = (n: number, name: keyof Point) => Math.abs(axes[n]?.[name] ?? 0) >= SAME_DIRECTION;
  return along(0, 'X') && along(1, 'Y') && along(2, 'Z');
}

function refusal(why: string, where: string): SegintJobError {
  return new SegintJobError('constraints', `The model does not take this image: ${why}`, {
    where,
    next: 'GET /api/v2/Model/ shows what each channel of the family takes.',
  });
}
