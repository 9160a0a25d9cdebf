/**
 * Scaling a volume to a given number of voxels by PyTorch's `interpolate` rules with align_corners false, which MONAI's
 * Resize follows (shared/specs/monai.md C.2): voxels are boxes, the outer faces of input and output coincide.
 */
import { composeAffines, GeometryError, type Size3 } from '../geometry.js';
import { sameTypeArray } from '../permute.js';
import { makeVolume, type Volume, type VoxelArray, voxelCount } from '../volume.js';
import { separablePlanes } from './separable.js';
import { integerRange, store } from './store.js';
import { type AxisTaps, tapsAt } from './taps.js';

/** `area` averages whole input voxels; `linear` is bilinear or trilinear; `cubic` is bicubic with a = -0.75. */
export type ResizeMode = 'area' | 'linear' | 'cubic' | 'nearest' | 'nearest-exact';

/** Taps of one axis from `inputs` to `outputs` voxels. */
export function resizeTaps(inputs: number, outputs: number, mode: ResizeMode): AxisTaps {
  const scale = inputs / outputs;
  if (mode === 'area') return areaTaps(inputs, outputs);
  if (mode === 'linear' || mode === 'cubic')
    return tapsAt(inputs, outputs, (o) => (o + 0.5) * scale - 0.5, mode, 'border');
  const shift = mode === 'nearest' ? 0 : 0.5;
  return tapsAt(inputs, outputs, (o) => Math.floor((o + shift) * scale), 'nearest', 'border');
}

/** Output o is the mean of inputs floor(o n / m) … ceil((o + 1) n / m) − 1. */
function areaTaps(inputs: number, outputs: number): AxisTaps {
  const start = (o: number): number => Math.floor((o * inputs) / outputs);
  const end = (o: number): number => Math.ceil(((o + 1) * inputs) / outputs);
  let taps = 1;
  for (let o = 0; o < outputs; o++) taps = Math.max(taps, end(o) - start(o));
  const index = new Int32Array(outputs * taps);
  const weight = new Float64Array(outputs * taps);
  for (let o = 0; o < outputs; o++)
    for (let t = 0; t < taps; t++) {
      const inside = start(o) + t < end(o);
      index[o * taps + t] = inside ? start(o) + t : start(o);
      weight[o * taps + t] = inside ? 1 / (end(o) - start(o)) : 0;
    }
  return { taps, index, weight, first: 0, last: outputs - 1 };
}

/**
 * Scales to `size` voxels along i, j, k (−1 keeps an axis). Result is Float32Array, or the input's type for the two
 * nearest modes or with `keepType` (rounded half to even). The affine keeps the volume's outer faces where they are.
 * Throws GeometryError `size-mismatch` on sizes that are neither −1 nor positive integers.
 */
export function resize(volume: Volume, size: Size3, mode: ResizeMode, keepType = false): Volume<VoxelArray> {
  const target = size.map((n, a) => (n === -1 ? volume.size[a] : n)) as unknown as Size3;
  if (!target.every((n) => Number.isInteger(n) && n > 0))
    throw new GeometryError('size-mismatch', `Cannot resize to ${size.join(' × ')}`, {
      next: 'Give whole numbers above 0, or -1 to keep an axis.',
    });
  const nearest = mode === 'nearest' || mode === 'nearest-exact';
  const count = voxelCount(target);
  const data = nearest || keepType ? sameTypeArray(volume.data, count) : new Float32Array(count);
  const tables = target.map((n, a) => resizeTaps(volume.size[a], n, mode));
  const range = nearest ? undefined : integerRange(data);
  const plane = target[0] * target[1];
  separablePlanes(volume.data, volume.size, [tables[0], tables[1], tables[2]], 0, target[2], (values, k) =>
    store(values, data, k * plane, range),
  );
  const scale = target.map((n, a) => volume.size[a] / n);
  const toInput = [0, 1, 2].flatMap((a) => {
    const row = [0, 0, 0, scale[a] / 2 - 0.5];
    row[a] = scale[a];
    return row;
  });
  return makeVolume(data, target, composeAffines(volume.affine, [...toInput, 0, 0, 0, 1]));
}
