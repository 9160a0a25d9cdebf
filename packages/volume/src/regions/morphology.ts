/**
 * Binary erosion, dilation, opening and closing with the 6-, 18- or 26-neighbourhood (and 4, 8 within planes), any number
 * of times, on packed masks. What lies outside the grid counts as background, as in scipy.ndimage, except that closing
 * acts as if the grid went on for ever, so that a structure cut by the border is not eaten from there.
 */
import { boundingBox, growBox } from '../box.js';
import { GeometryError, type Size3 } from '../geometry.js';
import { voxelCount } from '../volume.js';
import { alignFrame, type BitMask, emptyBits, packBits, unpackBits } from './bits.js';
import type { Connectivity } from './runs.js';

/** Rows read around a row: with both i-neighbours (`wide`) or only straight ahead (`narrow`). */
const WIDE: Record<Connectivity, readonly (readonly [number, number])[]> = {
  4: [[0, 0]],
  8: [
    [0, 0],
    [-1, 0],
    [1, 0],
  ],
  6: [[0, 0]],
  18: [
    [0, 0],
    [-1, 0],
    [1, 0],
    [0, -1],
    [0, 1],
  ],
  26: [-1, 0, 1].flatMap((k) => [-1, 0, 1].map((j) => [j, k] as const)),
};
const NARROW: Record<Connectivity, readonly (readonly [number, number])[]> = {
  4: [
    [-1, 0],
    [1, 0],
  ],
  8: [],
  6: [
    [-1, 0],
    [1, 0],
    [0, -1],
    [0, 1],
  ],
  18: [
    [-1, -1],
    [1, -1],
    [-1, 1],
    [1, 1],
  ],
  26: [],
};

/** One dilation of `from` into `to` (both of one size); outside the grid is background. */
function dilateBits(from: BitMask, to: BitMask, connectivity: Connectivity): void {
  const [ni, nj, nk] = from.size;
  const w = from.wordsPerRow;
  const source = from.words;
  const target = to.words;
  const lastWord = ni % 32 === 0 ? -1 : (1 << (ni % 32)) - 1;
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const row = w * (j + nj * k);
      target.fill(0, row, row + w);
      for (const [dj, dk] of WIDE[connectivity]) {
        if (j + dj < 0 || j + dj >= nj || k + dk < 0 || k + dk >= nk) continue;
        const other = row + w * (dj + nj * dk);
        let before = 0;
        let here = source[other];
        for (let x = 0; x < w; x++) {
          const after = x + 1 < w ? source[other + x + 1] : 0;
          target[row + x] |= here | (here << 1) | (before >>> 31) | (here >>> 1) | (after << 31);
          before = here;
          here = after;
        }
      }
      for (const [dj, dk] of NARROW[connectivity]) {
        if (j + dj < 0 || j + dj >= nj || k + dk < 0 || k + dk >= nk) continue;
        const other = row + w * (dj + nj * dk);
        for (let x = 0; x < w; x++) target[row + x] |= source[other + x];
      }
      target[row + w - 1] &= lastWord;
    }
}

/** One erosion of `from` into `to`; outside the grid is background. */
function erodeBits(from: BitMask, to: BitMask, connectivity: Connectivity): void {
  const [, nj, nk] = from.size;
  const w = from.wordsPerRow;
  const source = from.words;
  const target = to.words;
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const row = w * (j + nj * k);
      target.fill(-1, row, row + w);
      for (const [dj, dk] of WIDE[connectivity]) {
        if (j + dj < 0 || j + dj >= nj || k + dk < 0 || k + dk >= nk) {
          target.fill(0, row, row + w);
          continue;
        }
        const other = row + w * (dj + nj * dk);
        let before = 0;
        let here = source[other];
        for (let x = 0; x < w; x++) {
          const after = x + 1 < w ? source[other + x + 1] : 0;
          target[row + x] &= here & ((here << 1) | (before >>> 31)) & ((here >>> 1) | (after << 31));
          before = here;
          here = after;
        }
      }
      for (const [dj, dk] of NARROW[connectivity]) {
        if (j + dj < 0 || j + dj >= nj || k + dk < 0 || k + dk >= nk) {
          target.fill(0, row, row + w);
          continue;
        }
        const other = row + w * (dj + nj * dk);
        for (let x = 0; x < w; x++) target[row + x] &= source[other + x];
      }
    }
}

type Step = 'erode' | 'dilate';

/**
 * Works in the mask's own box, widened by `reach` voxels: nothing outside of it can change. Dilation may be clipped to the
 * grid, because a path of neighbours that leaves the grid has one beside it that does not; closing may not.
 */
function run(
  data: Uint8Array,
  size: Size3,
  connectivity: Connectivity,
  iterations: number,
  steps: readonly Step[],
  reach: number,
  into?: Uint8Array,
): Uint8Array {
  if (data.length !== voxelCount(size) || (into && into.length !== data.length))
    throw new GeometryError('size-mismatch', `${data.length} voxels do not fill a grid of ${size.join(' × ')}`);
  const own = boundingBox(data, size);
  if (!own) return into ? into.fill(0) : new Uint8Array(data.length);
  const wide = {
    low: [own.low[0] - reach, own.low[1] - reach, own.low[2] - reach] as const,
    high: [own.high[0] + reach, own.high[1] + reach, own.high[2] + reach] as const,
  };
  const frame = alignFrame(steps.length > 1 ? wide : growBox(own, reach, size), size);
  let current = packBits(data, size, frame);
  let spare = emptyBits(frame);
  for (const step of steps)
    for (let n = 0; n < iterations; n++) {
      if (step === 'dilate') dilateBits(current, spare, connectivity);
      else erodeBits(current, spare, connectivity);
      [current, spare] = [spare, current];
    }
  const out = into ? into.fill(0) : new Uint8Array(data.length);
  unpackBits(current, out, size);
  return out;
}

/** Voxels all of whose neighbours are inside, `iterations` times. `into` may be `data` itself. Throws `size-mismatch`. */
export function erodeMask(
  data: Uint8Array,
  size: Size3,
  connectivity: Connectivity = 6,
  iterations = 1,
  into?: Uint8Array,
) {
  return run(data, size, connectivity, iterations, ['erode'], 0, into);
}

/** Voxels with a neighbour inside, `iterations` times. `into` may be `data` itself. Throws `size-mismatch`. */
export function dilateMask(
  data: Uint8Array,
  size: Size3,
  connectivity: Connectivity = 6,
  iterations = 1,
  into?: Uint8Array,
) {
  return run(data, size, connectivity, iterations, ['dilate'], iterations, into);
}

/** Erosions, then as many dilations: removes what is thinner than the neighbourhood. */
export function openMask(
  data: Uint8Array,
  size: Size3,
  connectivity: Connectivity = 6,
  iterations = 1,
  into?: Uint8Array,
) {
  return run(data, size, connectivity, iterations, ['erode', 'dilate'], 0, into);
}

/** Dilations, then as many erosions: fills gaps narrower than the neighbourhood; never removes a voxel. */
export function closeMask(
  data: Uint8Array,
  size: Size3,
  connectivity: Connectivity = 6,
  iterations = 1,
  into?: Uint8Array,
) {
  return run(data, size, connectivity, iterations, ['dilate', 'erode'], iterations, into);
}
