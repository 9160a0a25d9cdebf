/**
 * Copies a box of voxels with its axes reordered and flipped: what reorienting and axis-swapping resampling share.
 * Works on the bits (unsigned views of equal width), so it is lossless for every voxel type, and in tiles, so that
 * neither side walks memory in large strides.
 */
import type { Size3 } from './geometry.js';
import type { VoxelArray } from './volume.js';

/** A signed axis permutation: output axis a runs along input axis `order[a]`, backwards when `flip[a]`. */
export interface AxisPermutation {
  readonly order: readonly [number, number, number];
  readonly flip: readonly [boolean, boolean, boolean];
}

type Bits = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Side of a tile in voxels: two tiles of 8-byte voxels stay within a 32 kB first-level cache. */
const TILE = 12;

function bitsOf(data: VoxelArray): Bits {
  const { buffer, byteOffset, length } = data;
  switch (data.BYTES_PER_ELEMENT) {
    case 1:
      return new Uint8Array(buffer, byteOffset, length);
    case 2:
      return new Uint16Array(buffer, byteOffset, length);
    case 4:
      return new Uint32Array(buffer, byteOffset, length);
    default:
      return new Float64Array(buffer, byteOffset, length);
  }
}

/** A new voxel array of the same element type. */
export function sameTypeArray<Data extends VoxelArray>(like: Data, length: number): Data {
  return new (like.constructor as new (n: number) => Data)(length);
}

/**
 * Copies the box that starts at input voxel `start` and has `extent` voxels along the INPUT axes, into `into` whose
 * axes are those of `permutation`. `into` has the element type of `data` and is filled from its element 0.
 */
export function copyPermuted(
  data: VoxelArray,
  size: Size3,
  start: Size3,
  extent: Size3,
  permutation: AxisPermutation,
  into: VoxelArray,
): void {
  const { order, flip } = permutation;
  const strides = [1, size[0], size[0] * size[1]];
  const n = order.map((axis) => extent[axis]);
  const step = order.map((axis, a) => (flip[a] ? -strides[axis] : strides[axis]));
  let base = start[0] * strides[0] + start[1] * strides[1] + start[2] * strides[2];
  for (let a = 0; a < 3; a++) if (flip[a]) base += (n[a] - 1) * strides[order[a]];
  const source = bitsOf(data);
  const target = bitsOf(into);
  if (step[0] === 1) copyRows(source, base, step, n, target);
  else copyTiles(source, base, step, n, target);
}

function copyRows(source: Bits, base: number, step: number[], n: number[], target: Bits): void {
  let to = 0;
  for (let k = 0; k < n[2]; k++)
    for (let j = 0; j < n[1]; j++, to += n[0]) {
      const from = base + j * step[1] + k * step[2];
      target.set(source.subarray(from, from + n[0]), to);
    }
}

function copyTiles(source: Bits, base: number, step: number[], n: number[], target: Bits): void {
  const [ni, nj, nk] = n;
  const [si, sj, sk] = step;
  for (let k0 = 0; k0 < nk; k0 += TILE)
    for (let j0 = 0; j0 < nj; j0 += TILE)
      for (let i0 = 0; i0 < ni; i0 += TILE) {
        const k1 = Math.min(k0 + TILE, nk);
        const j1 = Math.min(j0 + TILE, nj);
        const i1 = Math.min(i0 + TILE, ni);
        for (let k = k0; k < k1; k++)
          for (let j = j0; j < j1; j++) {
            let from = base + i0 * si + j * sj + k * sk;
            let to = i0 + ni * (j + nj * k);
            for (let i = i0; i < i1; i++, from += si, to++) target[to] = source[from];
          }
      }
}
