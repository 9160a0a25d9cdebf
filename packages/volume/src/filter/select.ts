/**
 * Masks from intensities and labels from scores. Voxels are converted in chunks by TypedArray.set (native code), so that
 * the loops see one element type whatever comes in.
 */
import { GeometryError } from '../geometry.js';
import type { LabelArray } from '../regions/runs.js';
import type { VoxelArray } from '../volume.js';

/** Voxels per chunk: two float64 buffers of it stay in a second-level cache. */
const CHUNK = 1 << 14;

/** 1 where low ≤ voxel ≤ high, else 0 (also for NaN). */
export function threshold(data: VoxelArray, low: number, high = Infinity, into?: Uint8Array): Uint8Array {
  const out = into ?? new Uint8Array(data.length);
  if (out.length !== data.length) throw new GeometryError('size-mismatch', 'The mask given has another length');
  if (data.BYTES_PER_ELEMENT < 4) {
    thresholdShort(data, low, high, out);
    return out;
  }
  const values = new Float64Array(CHUNK);
  for (let from = 0; from < data.length; from += CHUNK) {
    const n = Math.min(CHUNK, data.length - from);
    values.set(data.subarray(from, from + n));
    for (let x = 0; x < n; x++) out[from + x] = values[x] >= low && values[x] <= high ? 1 : 0;
  }
  return out;
}

/** Integers of at most 16 bits: compared by the sign of a difference, because noise makes branches unpredictable. */
function thresholdShort(data: VoxelArray, low: number, high: number, out: Uint8Array): void {
  const beyond = 1 << 17;
  const least = Math.ceil(Math.max(low, -beyond));
  const most = Math.floor(Math.min(high, beyond));
  const values = new Int32Array(CHUNK);
  for (let from = 0; from < data.length; from += CHUNK) {
    const n = Math.min(CHUNK, data.length - from);
    values.set(data.subarray(from, from + n));
    for (let x = 0; x < n; x++) out[from + x] = ~((values[x] - least) | (most - values[x])) >>> 31;
  }
}

/**
 * For each voxel the number of the channel whose score is largest; among equals the first wins, NaN never does.
 * Channels are separate arrays (or subarrays) of one length. Throws GeometryError `size-mismatch`.
 */
export function argMax<Labels extends LabelArray = Uint8Array>(channels: readonly VoxelArray[], into?: Labels): Labels {
  const length = channels[0]?.length ?? 0;
  const out = into ?? new Uint8Array(length);
  const most = out instanceof Uint8Array ? 256 : 65536;
  if (
    channels.length < 1 ||
    channels.length > most ||
    channels.some((c) => c.length !== length) ||
    out.length !== length
  )
    throw new GeometryError('size-mismatch', `${channels.length} channels do not fit the labels`, {
      next: 'Give channels of one length, and a Uint16Array for more than 256 of them.',
    });
  const best = new Float64Array(CHUNK);
  const score = new Float64Array(CHUNK);
  const label = new Uint16Array(CHUNK);
  for (let from = 0; from < length; from += CHUNK) {
    const n = Math.min(CHUNK, length - from);
    best.fill(-Infinity);
    label.fill(0);
    for (let c = 0; c < channels.length; c++) {
      score.set(channels[c].subarray(from, from + n));
      raise(score, best, label, c, n);
    }
    out.set(n === CHUNK ? label : label.subarray(0, n), from);
  }
  return out as Labels;
}

function raise(score: Float64Array, best: Float64Array, label: Uint16Array, channel: number, n: number): void {
  for (let x = 0; x < n; x++)
    if (score[x] > best[x]) {
      best[x] = score[x];
      label[x] = channel;
    }
}
