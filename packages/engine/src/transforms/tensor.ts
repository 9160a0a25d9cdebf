/**
 * What transforms work on. MONAI's array (C, i, j, k) is C-ordered: k fastest. Ours holds the same elements with i
 * fastest, as every Volume here: element (c, i, j, k) is data[c·ni·nj·nk + i + ni·(j + nj·k)]. The network border
 * (inferers/windows.ts) is the one place where the order is turned. The affine maps (i, j, k) to LPS mm; MONAI's RAS
 * affine differs from it by the signs of x and y only, so spacings, sizes and interpolations are the same.
 */
import { type Affine, type Grid, makeVolume, type Size3, type Volume, voxelCount } from '@isocenter/volume';
import { TransformError } from './transform-error.js';

export type TensorData = Float32Array | Uint8Array | Uint16Array;

export interface ChannelTensor {
  readonly data: TensorData;
  readonly channels: number;
  /** Voxels along i, j, k; 1 along the axes that `rank` leaves out. */
  readonly size: Size3;
  readonly affine: Affine;
  /** Spatial axes that the network sees: 3, 2 (k is 1), or 0 (a vector of numbers per study). */
  readonly rank: 0 | 2 | 3;
}

/** Throws TransformError `wrong-shape` when the data does not fill the shape. */
export function makeTensor(data: TensorData, channels: number, grid: Grid, rank: 0 | 2 | 3 = 3): ChannelTensor {
  if (data.length !== channels * voxelCount(grid.size))
    throw new TransformError(
      'wrong-shape',
      `${data.length} numbers do not fill ${channels} channels of ${grid.size.join(' × ')}`,
    );
  return { data, channels, size: grid.size, affine: grid.affine, rank };
}

/** One channel as a Volume that shares the tensor's memory. */
export function channelVolume(tensor: ChannelTensor, channel: number): Volume<TensorData> {
  const count = voxelCount(tensor.size);
  return makeVolume(tensor.data.subarray(channel * count, (channel + 1) * count), tensor.size, tensor.affine);
}

/** The same voxels as float32; the same memory when they are already. */
export function floatData(tensor: ChannelTensor): Float32Array {
  return tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data);
}
