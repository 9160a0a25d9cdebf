/**
 * Which way a grid's axes run in the patient, and lossless reorientation. An axis code names, for i, j and k, the
 * anatomical direction in which the index GROWS: 'LPS' is the identity affine in our LPS coordinates, 'RAS' is what
 * MONAI's Orientation asks for. The rule that assigns axes is that of nibabel's io_orientation.
 */
import { type Affine, composeAffines, directionsOf, GeometryError, invertAffine, type Size3 } from './geometry.js';
import { type AxisPermutation, copyPermuted, sameTypeArray } from './permute.js';
import { type Grid, makeVolume, type Volume, type VoxelArray } from './volume.js';

/** For each voxel axis the LPS axis it is closest to (a permutation of 0, 1, 2) and whether it runs against it. */
export interface Orientation {
  readonly axis: readonly [number, number, number];
  readonly negative: readonly [boolean, boolean, boolean];
}

const LETTERS = ['LR', 'PA', 'SI'] as const;
/** The polar iteration converges quadratically; from any usable affine it needs fewer steps than this. */
const POLAR_STEPS = 60;

/** Rotation closest to the affine's unit columns (polar factor, Higham's Newton iteration), columns = voxel axes. */
function closestRotation(affine: Affine): number[][] {
  const columns = directionsOf(affine);
  let m: Affine = [0, 1, 2].flatMap((r) => [columns[0][r], columns[1][r], columns[2][r], 0]).concat(0, 0, 0, 1);
  for (let step = 0; step < POLAR_STEPS; step++) {
    const inverse = invertAffine(m);
    const next = m.slice();
    let change = 0;
    for (let r = 0; r < 3; r++)
      for (let c = 0; c < 3; c++) {
        next[r * 4 + c] = (m[r * 4 + c] + inverse[c * 4 + r]) / 2;
        change = Math.max(change, Math.abs(next[r * 4 + c] - m[r * 4 + c]));
      }
    m = next;
    if (change < Number.EPSILON * 4) break;
  }
  return [0, 1, 2].map((c) => [m[c], m[4 + c], m[8 + c]]);
}

/**
 * The signed axis permutation closest to an affine (voxel to LPS mm): strongest axis first, each takes the world axis
 * with which its |cosine| is largest among those left. Throws GeometryError on a singular affine.
 */
export function orientationOf(affine: Affine): Orientation {
  const rotation = closestRotation(affine);
  const strength = rotation.map((column) => Math.max(...column.map(Math.abs)));
  const byStrength = [0, 1, 2].sort((a, b) => strength[b] - strength[a] || a - b);
  const axis: [number, number, number] = [0, 0, 0];
  const negative: [boolean, boolean, boolean] = [false, false, false];
  const free = [true, true, true];
  for (const voxelAxis of byStrength) {
    const column = rotation[voxelAxis];
    let best = -1;
    for (let w = 0; w < 3; w++) if (free[w] && (best < 0 || Math.abs(column[w]) > Math.abs(column[best]))) best = w;
    free[best] = false;
    axis[voxelAxis] = best;
    negative[voxelAxis] = column[best] < 0;
  }
  return { axis, negative };
}

/** Axis codes of an orientation or affine, such as 'LPS', 'RAS', 'AIL'. */
export function axisCodesOf(of: Orientation | Affine): string {
  const { axis, negative } = 'axis' in of ? of : orientationOf(of);
  return axis.map((w, a) => LETTERS[w][negative[a] ? 1 : 0]).join('');
}

/** Reads axis codes. Throws GeometryError `invalid-affine` unless they name each of L/R, P/A, S/I once. */
export function parseAxisCodes(codes: string): Orientation {
  const letters = [...codes.toUpperCase()];
  const axis = letters.map((letter) => LETTERS.findIndex((pair) => pair.includes(letter)));
  if (letters.length !== 3 || [...axis].sort().join('') !== '012')
    throw new GeometryError('invalid-affine', `'${codes}' are no axis codes`, {
      next: 'Use three letters, one each of L or R, P or A, S or I, for example RAS or LPS.',
    });
  return {
    axis: axis as unknown as [number, number, number],
    negative: letters.map((letter, a) => LETTERS[axis[a]][1] === letter) as unknown as [boolean, boolean, boolean],
  };
}

/** All 48 axis codes: six permutations times eight choices of direction. */
export function allAxisCodes(): string[] {
  const orders = ['012', '021', '102', '120', '201', '210'];
  return orders.flatMap((order) =>
    Array.from({ length: 8 }, (_, bits) => [...order].map((w, a) => LETTERS[Number(w)][(bits >> a) & 1]).join('')),
  );
}

/** The permutation and flips that bring a grid of orientation `from` to orientation `to`. */
export function permutationBetween(from: Orientation, to: Orientation): AxisPermutation {
  const order = to.axis.map((w) => from.axis.indexOf(w));
  const flip = order.map((source, a) => from.negative[source] !== to.negative[a]);
  return { order: order as unknown as AxisPermutation['order'], flip: flip as unknown as AxisPermutation['flip'] };
}

/** The permutation that undoes `permutation`. */
export function invertPermutation({ order, flip }: AxisPermutation): AxisPermutation {
  const back = [0, 1, 2].map((axis) => order.indexOf(axis));
  return {
    order: back as unknown as AxisPermutation['order'],
    flip: back.map((a) => flip[a]) as unknown as AxisPermutation['flip'],
  };
}

/** Size and affine after a permutation: every voxel keeps its place in the patient. */
export function permuteGrid(grid: Grid, { order, flip }: AxisPermutation): Grid {
  const size = order.map((axis) => grid.size[axis]) as unknown as Size3;
  const toInput = new Array<number>(16).fill(0);
  for (let a = 0; a < 3; a++) {
    toInput[order[a] * 4 + a] = flip[a] ? -1 : 1;
    if (flip[a]) toInput[order[a] * 4 + 3] = grid.size[order[a]] - 1;
  }
  toInput[15] = 1;
  return { size, affine: composeAffines(grid.affine, toInput) };
}

/** The volume with its axes permuted and flipped, affine following; lossless for any voxel type. */
export function permuteAxes<Data extends VoxelArray>(volume: Volume<Data>, permutation: AxisPermutation): Volume<Data> {
  const { size, affine } = permuteGrid(volume, permutation);
  const data = sameTypeArray(volume.data, volume.data.length);
  copyPermuted(volume.data, volume.size, [0, 0, 0], volume.size, permutation, data);
  return makeVolume(data, size, affine);
}

/**
 * The same voxels with axes running as `codes` say (nearest orientation for an oblique grid; no interpolation).
 * Undo with `reorient(result, axisCodesOf(volume.affine))`. Returns the volume itself when nothing changes.
 * Throws GeometryError on wrong codes or a singular affine.
 */
export function reorient<Data extends VoxelArray>(volume: Volume<Data>, codes: string): Volume<Data> {
  const permutation = permutationBetween(orientationOf(volume.affine), parseAxisCodes(codes));
  const { order, flip } = permutation;
  if (order.every((axis, a) => axis === a && !flip[a])) return volume;
  return permuteAxes(volume, permutation);
}
