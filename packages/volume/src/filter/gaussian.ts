/** Gaussian smoothing by separable kernels that integrate the Gaussian over each voxel (MONAI's "erf" kernel, C.3). */
import { type Size3, spacingOf, type Vector3 } from '../geometry.js';
import { separablePlanes } from '../resample/separable.js';
import type { AxisTaps } from '../resample/taps.js';
import { makeVolume, type Volume } from '../volume.js';

/** The kernel ends here, in standard deviations. */
const TRUNCATION = 4;
/** Beyond this |x| erf is ±1 in float64. */
const ERF_LIMIT = 6;
const SERIES_LIMIT = 3;
const FRACTION_DEPTH = 60;

/** Error function to about 1e-15: power series near 0, continued fraction of erfc further out. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a >= ERF_LIMIT) return Math.sign(x);
  if (a < SERIES_LIMIT) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > Number.EPSILON * sum; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
  }
  let fraction = 0;
  for (let n = FRACTION_DEPTH; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

/** Weights for offsets −tail … tail; sigma in voxels. Their sum is a little below 1: the cut-off tails are not given back. */
export function gaussianKernel(sigma: number): Float64Array {
  const tail = Math.floor(Math.max(sigma * TRUNCATION, 0.5) + 0.5);
  const t = Math.SQRT1_2 / sigma;
  return Float64Array.from({ length: 2 * tail + 1 }, (_, n) => {
    const x = n - tail;
    return Math.max(0, (erf(t * (x + 0.5)) - erf(t * (x - 0.5))) / 2);
  });
}

function kernelTaps(n: number, sigma: number, border: 'zeros' | 'repeat'): AxisTaps {
  const kernel = sigma > 0 ? gaussianKernel(sigma) : Float64Array.of(1);
  const taps = kernel.length;
  const tail = (taps - 1) / 2;
  const index = new Int32Array(n * taps);
  const weight = new Float64Array(n * taps);
  for (let o = 0; o < n; o++)
    for (let t = 0; t < taps; t++) {
      const tap = o - tail + t;
      index[o * taps + t] = Math.min(Math.max(tap, 0), n - 1);
      weight[o * taps + t] = border === 'zeros' && (tap < 0 || tap >= n) ? 0 : kernel[t];
    }
  return { taps, index, weight, first: 0, last: n - 1 };
}

/**
 * Smooths with standard deviation `sigma` along i, j, k, in voxels or (`unit` 'mm') in millimetres; 0 leaves an axis as it
 * is. Outside the volume is 0 (as in MONAI) or the border voxel repeated. Result float32, sums in float64.
 */
export function gaussianSmooth(
  volume: Volume,
  sigma: number | Vector3,
  unit: 'voxel' | 'mm' = 'voxel',
  border: 'zeros' | 'repeat' = 'zeros',
): Volume<Float32Array> {
  const wanted: Vector3 = typeof sigma === 'number' ? [sigma, sigma, sigma] : sigma;
  const spacing = spacingOf(volume.affine);
  const [ti, tj, tk] = wanted.map((s, a) => kernelTaps(volume.size[a], unit === 'mm' ? s / spacing[a] : s, border));
  const size: Size3 = volume.size;
  const out = new Float32Array(volume.data.length);
  const plane = size[0] * size[1];
  separablePlanes(volume.data, size, [ti, tj, tk], 0, size[2], (values, k) => out.set(values, k * plane));
  return makeVolume(out, size, volume.affine);
}
