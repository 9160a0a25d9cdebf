/**
 * A volume's values at the voxel centres of another grid. Parallel grids (any of the 48 axis permutations) take the
 * separable path, oblique ones the general one; both give the same values. Rules: shared/specs/monai.md C.2.
 */
import { type Affine, composeAffines, GeometryError, invertAffine, type Size3 } from '../geometry.js';
import { copyPermuted, sameTypeArray } from '../permute.js';
import { type Grid, makeVolume, type Volume, type VoxelArray, voxelCount } from '../volume.js';
import { obliquePlanes } from './oblique.js';
import { separablePlanes } from './separable.js';
import { integerRange, store } from './store.js';
import { type AxisTaps, type Interpolation, type Outside, tapRange, tapsAt } from './taps.js';

export interface ResampleOptions {
  /** Default `linear`. */
  readonly interpolation?: Interpolation;
  /** Default `border`. */
  readonly outside?: Outside;
  /** Keep the input's integer type, rounding half to even; the default result of linear and cubic is Float32Array. */
  readonly keepType?: boolean;
}

/** Grids are parallel when no output voxel moves by more than this, in input voxels, by ignoring the off-axis terms. */
const PARALLEL_TOLERANCE = 1e-6;
/** Axis-swapping input is copied in pieces of about this many voxels, so that no second volume is held. */
const PIECE_VOXELS = 1 << 23;

/**
 * Resamples `volume` onto `grid` (size in voxels, affine voxel centre to LPS mm). `nearest` rounds half to even the
 * coordinate clamped to the input and keeps the voxel type; `linear` is trilinear, `cubic` Keys a = -0.75, both computed
 * in float64 and stored as float32 unless `keepType`. Throws GeometryError on a singular affine.
 */
export function resample<Data extends VoxelArray>(
  volume: Volume<Data>,
  grid: Grid,
  options: ResampleOptions & ({ readonly interpolation: 'nearest' } | { readonly keepType: true }),
): Volume<Data>;
export function resample(volume: Volume, grid: Grid, options?: ResampleOptions): Volume<Float32Array>;
export function resample(volume: Volume, grid: Grid, options: ResampleOptions = {}): Volume {
  const keep = options.keepType || options.interpolation === 'nearest';
  const count = voxelCount(grid.size);
  const data = keep ? sameTypeArray(volume.data, count) : new Float32Array(count);
  resampleSlab(volume, grid, 0, grid.size[2], options, data);
  return makeVolume(data, grid.size, grid.affine);
}

/**
 * Computes output planes `from` … `to` − 1 (along k) of `resample(volume, grid, options)` into `into`, whose element 0 is
 * the first voxel of plane `from`. Integer arrays get values rounded half to even and clamped. Reads only the part of
 * `volume` that the slab needs, so an engine can go through a large grid in bounded memory.
 * Throws GeometryError `size-mismatch` when the range or `into` does not fit, `singular-affine` on a singular affine.
 */
export function resampleSlab(
  volume: Volume,
  grid: Grid,
  from: number,
  to: number,
  options: ResampleOptions,
  into: VoxelArray,
): void {
  const planeLength = grid.size[0] * grid.size[1];
  if (!(from >= 0 && from < to && to <= grid.size[2]) || into.length < (to - from) * planeLength)
    throw new GeometryError('size-mismatch', `Planes ${from} to ${to} do not fit the grid or the array given`);
  const kind = options.interpolation ?? 'linear';
  const outside = options.outside ?? 'border';
  const map = composeAffines(invertAffine(volume.affine), grid.affine);
  const range = integerRange(into);
  // Nearest moves values unchanged; rounding them again would only cost time.
  const rounding = kind === 'nearest' && into.constructor === volume.data.constructor ? undefined : range;
  const order = parallelAxes(map, grid.size);
  if (!order) {
    obliquePlanes(volume.data, volume.size, map, grid.size, kind, outside, from, to, (plane, k) =>
      store(plane, into, (k - from) * planeLength, rounding),
    );
    return;
  }
  const tables = order.map((inputAxis, a) => {
    const scale = map[inputAxis * 4 + a];
    const offset = map[inputAxis * 4 + 3];
    return tapsAt(volume.size[inputAxis], grid.size[a], (o) => offset + scale * o, kind, outside);
  });
  const constant = typeof outside === 'object' ? outside.constant : 0;
  separableSlab(volume, order, tables, from, to, (plane, k) => {
    fillOutside(plane, k, tables, constant);
    store(plane, into, (k - from) * planeLength, rounding);
  });
}

/** For each output axis the input axis parallel to it, or undefined when the grids are oblique to each other. */
function parallelAxes(map: Affine, outSize: Size3): readonly number[] | undefined {
  const order = [0, 1, 2].map((a) => {
    const column = [Math.abs(map[a]), Math.abs(map[4 + a]), Math.abs(map[8 + a])];
    return column.indexOf(Math.max(...column));
  });
  if (new Set(order).size < 3) return undefined;
  for (let r = 0; r < 3; r++) {
    let drift = 0;
    for (let a = 0; a < 3; a++) if (order[a] !== r) drift += Math.abs(map[r * 4 + a]) * (outSize[a] - 1);
    if (drift > PARALLEL_TOLERANCE) return undefined;
  }
  return order;
}

function separableSlab(
  { data, size }: Volume,
  order: readonly number[],
  tables: readonly AxisTaps[],
  from: number,
  to: number,
  emit: (plane: Float64Array, k: number) => void,
): void {
  const [ti, tj, tk] = tables;
  if (order.every((axis, a) => axis === a)) {
    separablePlanes(data, size, [ti, tj, tk], from, to, emit);
    return;
  }
  // Bring the box of input voxels that some output planes need into output axis order, then go on as above.
  const boxes = [ti, tj].map((table) => tapRange(table, 0, table.index.length / table.taps));
  const span = boxes.map(([low, high]) => high - low + 1);
  const inputPlanes = size[order[2]];
  const perPiece = Math.max(
    1,
    Math.floor(((PIECE_VOXELS / (span[0] * span[1])) * tk.index.length) / tk.taps / inputPlanes),
  );
  for (let start = from; start < to; start += perPiece) {
    const end = Math.min(start + perPiece, to);
    const low = [boxes[0][0], boxes[1][0], tapRange(tk, start, end)[0]];
    const extent = [span[0], span[1], tapRange(tk, start, end)[1] - low[2] + 1] as const;
    const inputLow: [number, number, number] = [0, 0, 0];
    const inputExtent: [number, number, number] = [0, 0, 0];
    for (let a = 0; a < 3; a++) {
      inputLow[order[a]] = low[a];
      inputExtent[order[a]] = extent[a];
    }
    const piece = sameTypeArray(data, extent[0] * extent[1] * extent[2]);
    const permutation = { order: order as [number, number, number], flip: [false, false, false] as const };
    copyPermuted(data, size, inputLow, inputExtent, permutation, piece);
    const [pi, pj, pk] = tables.map((table, a) => ({ ...table, index: table.index.map((x) => x - low[a]) }));
    // Indices of planes outside [start, end) may be negative here; they are not read.
    separablePlanes(piece, extent, [pi, pj, pk], start, end, emit);
  }
}

/** Voxels past the input's extent take the constant; where nothing is cut off the inside range is the whole axis. */
function fillOutside(plane: Float64Array, k: number, tables: readonly AxisTaps[], constant: number): void {
  const [ti, tj, tk] = tables;
  const ni = ti.index.length / ti.taps;
  const nj = tj.index.length / tj.taps;
  if (k < tk.first || k > tk.last) {
    plane.fill(constant);
    return;
  }
  plane.fill(constant, 0, Math.min(tj.first, nj) * ni);
  plane.fill(constant, Math.max(tj.last + 1, 0) * ni, nj * ni);
  if (ti.first === 0 && ti.last === ni - 1) return;
  for (let j = 0; j < nj; j++) {
    plane.fill(constant, j * ni, j * ni + Math.min(ti.first, ni));
    plane.fill(constant, j * ni + ti.last + 1, (j + 1) * ni);
  }
}
