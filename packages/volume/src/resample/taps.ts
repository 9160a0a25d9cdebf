/**
 * One axis of an interpolation as a table: for each output index the input indices it reads ("taps") and their weights.
 * Everything separable (resampling between parallel grids, resizing, smoothing) is three of these tables. The rules are
 * PyTorch's grid_sample and interpolate ones, which MONAI's results follow.
 */

/** `nearest` rounds half to even; `cubic` is Keys' convolution with a = -0.75 (PyTorch's choice). */
export type Interpolation = 'nearest' | 'linear' | 'cubic';

/**
 * What lies outside the input: `border` repeats the edge voxels; `zeros` blends towards 0 within one voxel of the edge
 * (grid_sample's padding zeros); a constant replaces every point further than half a voxel outside the outermost centres
 * (ITK's default pixel value).
 */
export type Outside = 'border' | 'zeros' | { readonly constant: number };

/** Output o reads `index[o * taps + t]` with `weight[o * taps + t]`; outputs outside [first, last] take the constant. */
export interface AxisTaps {
  readonly taps: number;
  readonly index: Int32Array;
  readonly weight: Float64Array;
  readonly first: number;
  readonly last: number;
}

export const CUBIC_A = -0.75;
/** Coordinates this close to a multiple of one half are that multiple: removes the noise of inverting an affine. */
const SNAP = 1e-7;
/** Half a voxel belongs to a voxel on each side of its centre. */
const HALF_VOXEL = 0.5;

export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== HALF_VOXEL) return rest < HALF_VOXEL ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Keys' cubic convolution kernel at distance x >= 0. */
export function cubicWeight(x: number): number {
  if (x <= 1) return ((CUBIC_A + 2) * x - (CUBIC_A + 3)) * x * x + 1;
  if (x < 2) return ((CUBIC_A * x - 5 * CUBIC_A) * x + 8 * CUBIC_A) * x - 4 * CUBIC_A;
  return 0;
}

/** Snaps away rounding noise, so that exact halves stay exact halves on every path. */
export function snap(x: number): number {
  const twice = Math.round(2 * x) / 2;
  return Math.abs(x - twice) < SNAP ? twice : x;
}

const clamp = (x: number, high: number): number => (x < 0 ? 0 : x > high ? high : x);

/** Taps for outputs at input coordinates `at(o)` (voxel centres at integers), o = 0 … outputs − 1, monotone in o. */
export function tapsAt(
  inputs: number,
  outputs: number,
  at: (o: number) => number,
  kind: Interpolation,
  outside: Outside,
): AxisTaps {
  const taps = kind === 'nearest' ? 1 : kind === 'linear' ? 2 : 4;
  const index = new Int32Array(outputs * taps);
  const weight = new Float64Array(outputs * taps);
  // With a single tap "zeros" has nothing to blend: it is the constant 0.
  const cutOff = typeof outside === 'object' || (outside === 'zeros' && kind === 'nearest');
  const fade = outside === 'zeros' && kind !== 'nearest';
  let first = outputs;
  let last = -1;
  for (let o = 0; o < outputs; o++) {
    const x = snap(at(o));
    if (!cutOff || (x >= -HALF_VOXEL && x <= inputs - HALF_VOXEL)) {
      first = Math.min(first, o);
      last = o;
    }
    if (kind === 'nearest') {
      index[o] = roundHalfEven(clamp(x, inputs - 1));
      weight[o] = 1;
      continue;
    }
    // Border for linear clamps the coordinate; cubic clamps each tap, which is the same far outside.
    const position = kind === 'linear' && !fade ? clamp(x, inputs - 1) : x;
    const floor = Math.floor(position);
    const lead = kind === 'linear' ? 0 : 1;
    for (let t = 0; t < taps; t++) {
      const tap = floor - lead + t;
      const distance = Math.abs(position - tap);
      const w = kind === 'linear' ? 1 - distance : cubicWeight(distance);
      const inside = tap >= 0 && tap < inputs;
      index[o * taps + t] = clamp(tap, inputs - 1);
      weight[o * taps + t] = fade && !inside ? 0 : w;
    }
  }
  return { taps, index, weight, first, last };
}

/** Lowest and highest input index that outputs `from` … `to` − 1 read. */
export function tapRange(table: AxisTaps, from: number, to: number): readonly [number, number] {
  let low = table.index[from * table.taps];
  let high = low;
  for (let t = from * table.taps; t < to * table.taps; t++) {
    if (table.index[t] < low) low = table.index[t];
    if (table.index[t] > high) high = table.index[t];
  }
  return [low, high];
}
