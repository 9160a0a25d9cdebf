/** A 3-D grid of voxels with its place in the patient. No array travels without its affine. */
import { type Affine, GeometryError, type Size3 } from './geometry.js';

export type VoxelArray =
  | Uint8Array<ArrayBufferLike>
  | Int8Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Int16Array<ArrayBufferLike>
  | Uint32Array<ArrayBufferLike>
  | Int32Array<ArrayBufferLike>
  | Float32Array<ArrayBufferLike>
  | Float64Array<ArrayBufferLike>;

/** `data[i + ni * (j + nj * k)]` is voxel (i, j, k); `affine` maps voxel-centre indices to LPS mm. */
export interface Volume<Data extends VoxelArray = VoxelArray> {
  readonly kind: 'volume';
  readonly data: Data;
  readonly size: Size3;
  readonly affine: Affine;
}

/** A binary Volume: 0 outside, 1 inside. */
export type Mask = Volume<Uint8Array>;
/** An integer Volume: 0 is background. */
export type LabelMap = Volume<Uint8Array | Uint16Array>;
/** A grid without voxels: where a Volume lies. */
export type Grid = Pick<Volume, 'size' | 'affine'>;

/** Throws GeometryError `size-mismatch` when data and size disagree, `invalid-affine` when the affine is not 16 finite numbers. */
export function makeVolume<Data extends VoxelArray>(data: Data, size: Size3, affine: Affine): Volume<Data> {
  if (size.some((n) => !Number.isInteger(n) || n < 1) || data.length !== size[0] * size[1] * size[2])
    throw new GeometryError('size-mismatch', `${data.length} voxels do not fill a grid of ${size.join(' × ')}`);
  if (affine.length !== 16 || !affine.every(Number.isFinite))
    throw new GeometryError('invalid-affine', 'An affine needs 16 finite numbers');
  return Object.freeze({ kind: 'volume', data, size, affine });
}

export function voxelCount(size: Size3): number {
  return size[0] * size[1] * size[2];
}
