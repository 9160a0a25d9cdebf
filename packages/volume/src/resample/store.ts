/** Writes float64 results into a voxel array: floats as they are, integers rounded half to even and clamped to their range. */
import type { VoxelArray } from '../volume.js';

/** Adding and subtracting 1.5 * 2^52 leaves a float64 rounded to an integer, half to even, for |x| < 2^51. */
const ROUND = 6755399441055744;

const RANGES = {
  Int8Array: [-128, 127],
  Uint8Array: [0, 255],
  Int16Array: [-32768, 32767],
  Uint16Array: [0, 65535],
  Int32Array: [-2147483648, 2147483647],
  Uint32Array: [0, 4294967295],
} as const;

/** Lowest and highest value of an integer array type; undefined for the float types. */
export function integerRange(data: VoxelArray): readonly [number, number] | undefined {
  for (const [name, range] of Object.entries(RANGES)) if (data.constructor.name === name) return range;
  return undefined;
}

/** Stores `values` at `out[at …]`. Rounds `values` in place first when `range` is given (see integerRange). */
export function store(
  values: Float64Array,
  out: VoxelArray,
  at: number,
  range: readonly [number, number] | undefined,
): void {
  if (range) {
    const [low, high] = range;
    for (let x = 0; x < values.length; x++) {
      const rounded = values[x] + ROUND - ROUND;
      values[x] = rounded < low ? low : rounded > high ? high : rounded;
    }
  }
  out.set(values, at);
}
