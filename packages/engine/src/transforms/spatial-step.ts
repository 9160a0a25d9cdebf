/**
 * What a spatial transform did, kept as data so that it can be undone: on a whole tensor (invert.ts), or plane by plane
 * on class probabilities while they are being computed (inferers/axis-maps.ts).
 */
import {
  type AxisPermutation,
  copyPermuted,
  type Grid,
  makeVolume,
  type ResizeMode,
  resample,
  resize,
  type Size3,
  sameTypeArray,
  voxelCount,
} from '@isocenter/volume';
import { type ChannelTensor, channelVolume, floatData, makeTensor, type TensorData } from './tensor.js';

export type SpatialMode = 'linear' | 'nearest' | 'cubic';

/** How to get from one grid to the next. */
export type SpatialOperation =
  /** Output axis a runs along input axis order[a]. */
  | { readonly kind: 'permute'; readonly permutation: AxisPermutation }
  /** Output voxel o is input voxel o + start; outside the input it is `fill`. */
  | { readonly kind: 'box'; readonly start: readonly [number, number, number]; readonly fill: number }
  /** Interpolation through patient space; beyond the border the edge is repeated. */
  | { readonly kind: 'resample'; readonly mode: SpatialMode }
  /** Interpolation by number of voxels. */
  | { readonly kind: 'resize'; readonly mode: ResizeMode };

/** A transform that was applied: the grid it started from, and the operation that leads back there. */
export interface SpatialStep {
  readonly name: string;
  readonly source: Grid;
  readonly rank: ChannelTensor['rank'];
  readonly inverse: SpatialOperation;
}

/** The tensor on `target`; every channel alike. Nearest and lossless operations keep the voxel type, others give float32. */
export function applySpatial(
  tensor: ChannelTensor,
  operation: SpatialOperation,
  target: Grid,
  rank = tensor.rank,
): ChannelTensor {
  const count = voxelCount(target.size);
  const lossless = operation.kind === 'permute' || operation.kind === 'box' || operation.mode.startsWith('nearest');
  const source = lossless ? tensor : { ...tensor, data: floatData(tensor) };
  const data = sameTypeArray<TensorData>(source.data, source.channels * count);
  for (let channel = 0; channel < source.channels; channel++) {
    const volume = channelVolume(source, channel);
    const out = data.subarray(channel * count, (channel + 1) * count);
    switch (operation.kind) {
      case 'permute':
        copyPermuted(volume.data, volume.size, [0, 0, 0], volume.size, operation.permutation, out);
        break;
      case 'box':
        copyBox(volume.data, volume.size, operation.start, operation.fill, target.size, out);
        break;
      case 'resample':
        out.set(resample(volume, target, { interpolation: operation.mode, outside: 'border' }).data);
        break;
      case 'resize':
        out.set(
          resize(makeVolume(volume.data, volume.size, volume.affine), target.size, operation.mode).data as TensorData,
        );
        break;
    }
  }
  return makeTensor(data, source.channels, target, rank);
}

/** Undoes the steps, last first. `nearest` replaces every interpolation (MONAI's `nearest_interp`). */
export function undoSteps(tensor: ChannelTensor, steps: readonly SpatialStep[], nearest: boolean): ChannelTensor {
  let current = tensor;
  for (const step of [...steps].reverse())
    current = applySpatial(current, inverseOperation(step, nearest), step.source, step.rank);
  return current;
}

export function inverseOperation(step: SpatialStep, nearest: boolean): SpatialOperation {
  const { inverse } = step;
  return nearest && (inverse.kind === 'resample' || inverse.kind === 'resize')
    ? { ...inverse, mode: 'nearest' }
    : inverse;
}

function copyBox(
  data: TensorData,
  size: Size3,
  start: readonly number[],
  fill: number,
  target: Size3,
  out: TensorData,
): void {
  if (fill !== 0) out.fill(fill);
  const [ni, nj, nk] = target;
  const low = Math.max(0, -start[0]);
  const high = Math.min(ni, size[0] - start[0]);
  if (high <= low) return;
  for (let k = 0; k < nk; k++) {
    const sk = k + start[2];
    if (sk < 0 || sk >= size[2]) continue;
    for (let j = 0; j < nj; j++) {
      const sj = j + start[1];
      if (sj < 0 || sj >= size[1]) continue;
      const from = start[0] + size[0] * (sj + size[1] * sk);
      out.set(data.subarray(from + low, from + high), low + ni * (j + nj * k));
    }
  }
}
