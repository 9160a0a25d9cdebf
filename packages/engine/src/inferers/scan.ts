/** Where sliding windows lie and how much each of their voxels counts (specs/monai.md C.5). */
import { InfererError } from './inferer-error.js';

/** Weights never fall below this, so that corners covered by one window only stay numerically sound. */
const SMALLEST_WEIGHT = 1e-3;

/** MONAI's step between windows along one axis. */
export function scanInterval(image: number, roi: number, overlap: number): number {
  return roi === image ? roi : Math.max(1, Math.trunc(roi * (1 - overlap)));
}

/** First voxel of each window along one axis; the last window ends at the border. Needs image ≥ roi. */
export function scanStarts(image: number, roi: number, overlap: number): number[] {
  if (!(overlap >= 0 && overlap < 1))
    throw new InfererError('invalid-argument', `The overlap ${overlap} is not in 0 … 1`);
  const interval = scanInterval(image, roi, overlap);
  const count = Math.max(0, Math.ceil((image - roi) / interval)) + 1;
  return Array.from({ length: count }, (_, at) => Math.min(at * interval, image - roi));
}

/** Gaussian weight along one axis of n voxels, before clamping. float32 steps, as in MONAI. */
export function gaussianAxis(n: number, sigmaScale: number): Float32Array {
  const sigma = Math.fround(sigmaScale * n);
  return Float32Array.from({ length: n }, (_, x) => Math.exp(Math.fround((x - (n - 1) / 2) ** 2 / (-2 * sigma ** 2))));
}

/** Importance of each voxel of a window; C order (last axis fastest). */
export function gaussianImportance(roi: readonly number[], sigmaScale: readonly number[]): Float32Array {
  const axes = roi.map((n, axis) => gaussianAxis(n, sigmaScale[sigmaScale.length === 1 ? 0 : axis]));
  let map: Float32Array = axes[0];
  for (const axis of axes.slice(1)) {
    const next = new Float32Array(map.length * axis.length);
    for (let a = 0, at = 0; a < map.length; a++) for (let b = 0; b < axis.length; b++) next[at++] = map[a] * axis[b];
    map = next;
  }
  let floor = Infinity;
  for (let at = 0; at < map.length; at++) if (map[at] > 0 && map[at] < floor) floor = map[at];
  floor = Math.max(floor, SMALLEST_WEIGHT);
  for (let at = 0; at < map.length; at++) if (map[at] < floor) map[at] = floor;
  return map;
}
