/** Which voxel values become black and white: the window that a radiologist would choose, or percentiles of the image. */
import type { Volume } from '@isocenter/volume';

export interface GreyWindow {
  readonly black: number;
  readonly white: number;
}

/** One picture for lung, soft tissue and bone: wide, so that nothing important is clipped. */
const CT_WINDOW: GreyWindow = { black: -1050, white: 500 };
const LOW_SHARE = 0.01;
const HIGH_SHARE = 0.995;
/** Enough voxels for percentiles that do not wobble. */
const SAMPLES = 200_000;

export function greyWindow({ data }: Volume, modality: string | undefined): GreyWindow {
  if (modality === 'CT') return CT_WINDOW;
  const step = Math.max(1, Math.floor(data.length / SAMPLES));
  const sample = new Float64Array(Math.ceil(data.length / step));
  let n = 0;
  for (let at = 0; at < data.length; at += step) if (Number.isFinite(data[at])) sample[n++] = data[at];
  const sorted = sample.subarray(0, n).sort();
  if (n === 0) return { black: 0, white: 1 };
  const black = sorted[Math.floor(LOW_SHARE * (n - 1))];
  const white = sorted[Math.floor(HIGH_SHARE * (n - 1))];
  return white > black ? { black, white } : { black, white: black + 1 };
}
