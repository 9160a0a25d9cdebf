/** Sizes from image headers: their product is checked against a named limit and the bytes there before it allocates. */
import { FormatError } from '../format-error.js';

/** 2^31 voxels: 1290³, four times the largest CT that is in clinical use, and the end of 32-bit indices. */
export const MAX_VOXELS = 2 ** 31 - 1;
/** An axis longer than this is a damaged header. */
export const MAX_AXIS = 65_536;
/** Time points, gradients or classes of one file. */
export const MAX_CHANNELS = 4096;

/** The product of `axes`; throws FormatError `corrupt` for an impossible axis and `too-large` above `MAX_VOXELS`. */
export function checkedCount(axes: readonly number[], where: string): number {
  let count = 1;
  for (const n of axes) {
    if (!Number.isInteger(n) || n < 1 || n > MAX_AXIS)
      throw new FormatError('corrupt', `An axis of ${n} samples is impossible`, {
        where,
        next: 'The header is damaged: copy or export the file again.',
      });
    count *= n;
    if (count > MAX_VOXELS)
      throw new FormatError('too-large', `${axes.join(' × ')} samples are more than ${MAX_VOXELS}`, {
        where,
        next: 'Crop or split the image.',
      });
  }
  return count;
}
