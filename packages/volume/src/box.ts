/** Boxes of voxels: finding the one that holds a mask or each label, cutting it out, and padding past the border. */
import { GeometryError, indexToPatient, type Size3 } from './geometry.js';
import { sameTypeArray } from './permute.js';
import { makeVolume, type Volume, type VoxelArray, voxelCount } from './volume.js';

/** Voxels low ≤ index < high along i, j, k. */
export interface Box {
  readonly low: Size3;
  readonly high: Size3;
}

export const boxSize = ({ low, high }: Box): Size3 => [high[0] - low[0], high[1] - low[1], high[2] - low[2]];
export const wholeBox = (size: Size3): Box => ({ low: [0, 0, 0], high: size });

/** The box grown by `margin` voxels on each side, kept inside the grid. */
export function growBox({ low, high }: Box, margin: number, size: Size3): Box {
  return {
    low: low.map((x) => Math.max(x - margin, 0)) as unknown as Size3,
    high: high.map((x, a) => Math.min(x + margin, size[a])) as unknown as Size3,
  };
}

/** Smallest box that holds both. */
export function joinBoxes(a: Box | undefined, b: Box | undefined): Box | undefined {
  if (!a || !b) return a ?? b;
  return {
    low: a.low.map((x, axis) => Math.min(x, b.low[axis])) as unknown as Size3,
    high: a.high.map((x, axis) => Math.max(x, b.high[axis])) as unknown as Size3,
  };
}

/** Smallest box that holds all voxels that are not 0; undefined when there are none. */
export function boundingBox(data: Uint8Array | Uint16Array, size: Size3): Box | undefined {
  const [ni, nj, nk] = size;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const rowBytes = ni * data.BYTES_PER_ELEMENT;
  let [i0, i1, j0, j1, k0, k1] = [rowBytes, -1, nj, -1, nk, -1];
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const from = rowBytes * (j + nj * k);
      const to = from + rowBytes;
      const first = firstNonZero(bytes, from, to);
      if (first === to) continue;
      if (first - from < i0) i0 = first - from;
      let last = to - 1;
      while (last - from > i1 && bytes[last] === 0) last--;
      if (last - from > i1) i1 = last - from;
      if (j < j0) j0 = j;
      if (j > j1) j1 = j;
      if (k < k0) k0 = k;
      k1 = k;
    }
  if (k1 < 0) return undefined;
  const width = data.BYTES_PER_ELEMENT;
  return { low: [Math.floor(i0 / width), j0, k0], high: [Math.floor(i1 / width) + 1, j1 + 1, k1 + 1] };
}

/** Index of the first byte that is not 0, or `to`. */
function firstNonZero(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at + 8 <= to) {
    if (
      (bytes[at] |
        bytes[at + 1] |
        bytes[at + 2] |
        bytes[at + 3] |
        bytes[at + 4] |
        bytes[at + 5] |
        bytes[at + 6] |
        bytes[at + 7]) !==
      0
    )
      break;
    at += 8;
  }
  while (at < to && bytes[at] === 0) at++;
  return at;
}

/** Bounding box of every label above 0, in one pass; keys ascend. */
export function labelBoxes(data: Uint8Array | Uint16Array, size: Size3): Map<number, Box> {
  const [ni, nj, nk] = size;
  const labels = data instanceof Uint8Array ? 256 : 65536;
  // Per label: i0, i1, j0, j1, k0, k1, all inclusive; k1 = −1 says "not seen".
  const found = new Int32Array(labels * 6);
  for (let l = 0; l < labels; l++) found.set([ni, -1, nj, -1, nk, -1], l * 6);
  for (let k = 0, at = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const stop = at + ni;
      const row = at;
      while (at < stop) {
        const label = data[at];
        const start = at;
        while (at < stop && data[at] === label) at++;
        if (label === 0) continue;
        const f = label * 6;
        if (start - row < found[f]) found[f] = start - row;
        if (at - 1 - row > found[f + 1]) found[f + 1] = at - 1 - row;
        if (j < found[f + 2]) found[f + 2] = j;
        if (j > found[f + 3]) found[f + 3] = j;
        if (k < found[f + 4]) found[f + 4] = k;
        found[f + 5] = k;
      }
    }
  const boxes = new Map<number, Box>();
  for (let l = 1; l < labels; l++) {
    const [i0, i1, j0, j1, k0, k1] = found.subarray(l * 6, l * 6 + 6);
    if (k1 >= 0) boxes.set(l, { low: [i0, j0, k0], high: [i1 + 1, j1 + 1, k1 + 1] });
  }
  return boxes;
}

/** Copies the box out of `data`; the part of the box beyond the grid becomes `fill`. */
export function cutBox<Data extends VoxelArray>(data: Data, size: Size3, box: Box, fill = 0): Data {
  const extent = boxSize(box);
  if (extent.some((n) => n < 1))
    throw new GeometryError('size-mismatch', `A box of ${extent.join(' × ')} holds no voxel`);
  const out = sameTypeArray(data, voxelCount(extent));
  if (fill !== 0) out.fill(fill);
  const i0 = Math.max(box.low[0], 0);
  const i1 = Math.min(box.high[0], size[0]);
  if (i0 >= i1) return out;
  for (let k = Math.max(box.low[2], 0); k < Math.min(box.high[2], size[2]); k++)
    for (let j = Math.max(box.low[1], 0); j < Math.min(box.high[1], size[1]); j++) {
      const row = size[0] * (j + size[1] * k);
      const to = i0 - box.low[0] + extent[0] * (j - box.low[1] + extent[1] * (k - box.low[2]));
      out.set(data.subarray(row + i0, row + i1), to);
    }
  return out;
}

/** Writes an array of the box's size back into `data`; the part beyond the grid is left out. */
export function pasteBox<Data extends VoxelArray>(part: Data, box: Box, data: Data, size: Size3): void {
  const extent = boxSize(box);
  const i0 = Math.max(box.low[0], 0);
  const i1 = Math.min(box.high[0], size[0]);
  if (i0 >= i1) return;
  for (let k = Math.max(box.low[2], 0); k < Math.min(box.high[2], size[2]); k++)
    for (let j = Math.max(box.low[1], 0); j < Math.min(box.high[1], size[1]); j++) {
      const from = i0 - box.low[0] + extent[0] * (j - box.low[1] + extent[1] * (k - box.low[2]));
      data.set(part.subarray(from, from + i1 - i0), i0 + size[0] * (j + size[1] * k));
    }
}

/**
 * The box as a volume of its own, affine following; it may reach past the grid, where voxels get `fill`. So this crops
 * and pads; `cropVolume(result, the inverse box)` undoes it. Throws GeometryError `size-mismatch` on an empty box.
 */
export function cropVolume<Data extends VoxelArray>(volume: Volume<Data>, box: Box, fill = 0): Volume<Data> {
  const data = cutBox(volume.data, volume.size, box, fill);
  const origin = indexToPatient(volume.affine, ...box.low);
  const affine = volume.affine.slice();
  for (let r = 0; r < 3; r++) affine[r * 4 + 3] = origin[r];
  return makeVolume(data, boxSize(box), affine);
}

/** The volume with `before` and `after` voxels of `fill` added along i, j, k. */
export function padVolume<Data extends VoxelArray>(
  volume: Volume<Data>,
  before: Size3,
  after: Size3,
  fill = 0,
): Volume<Data> {
  return cropVolume(
    volume,
    {
      low: [-before[0], -before[1], -before[2]],
      high: [volume.size[0] + after[0], volume.size[1] + after[1], volume.size[2] + after[2]],
    },
    fill,
  );
}

/** Where MONAI's CenterSpatialCrop of `size` voxels starts on an axis of `n`: floor(n / 2) − floor(size / 2), at least 0. */
export function centerCropStart(n: number, size: number): number {
  return Math.max(Math.floor(n / 2) - Math.floor(size / 2), 0);
}

/** Voxels that MONAI's SpatialPad adds before and after an axis of `n` to reach `size`: the odd one goes after. */
export function symmetricPad(n: number, size: number): readonly [number, number] {
  const width = Math.max(size - n, 0);
  return [Math.floor(width / 2), width - Math.floor(width / 2)];
}
