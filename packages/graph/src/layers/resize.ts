/** Interpolation to a spatial size, as torch.nn.functional.interpolate (nearest; bilinear and trilinear as `linear`). */
import type { Value } from '../graph/value.js';
import { int64s } from '../tensor/tensor.js';
import { type PerAxis, perAxis } from './windows.js';

export interface ResizeOptions {
  readonly mode?: 'nearest' | 'linear';
  /** Whether first and last samples keep their places (linear only). */
  readonly alignCorners?: boolean;
}

/** To the spatial size `size`. */
export function resize(x: Value, size: PerAxis, { mode = 'nearest', alignCorners = false }: ResizeOptions = {}): Value {
  const goal = [...x.shape.slice(0, 2), ...perAxis(size, x.shape.length - 2)];
  const coordinates = mode === 'nearest' ? 'asymmetric' : alignCorners ? 'align_corners' : 'half_pixel';
  return x.graph.node('Resize', [x, undefined, undefined, x.graph.constant(int64s(goal))], {
    mode,
    coordinate_transformation_mode: coordinates,
    ...(mode === 'nearest' ? { nearest_mode: 'floor' } : {}),
  });
}

/** By a whole factor. */
export function upsample(x: Value, factor: PerAxis, options?: ResizeOptions): Value {
  const spatial = x.shape.slice(2);
  const factors = perAxis(factor, spatial.length);
  return resize(
    x,
    spatial.map((n, i) => n * factors[i]),
    options,
  );
}
