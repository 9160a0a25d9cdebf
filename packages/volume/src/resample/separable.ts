/**
 * Interpolation between parallel grids, one axis at a time: rows are blended (j), sampled (i) and kept as planes, planes
 * are blended (k). Per output voxel this costs three short sums instead of eight or 64 reads. All sums are float64;
 * voxels are converted plane by plane with TypedArray.set, which is native code and keeps every loop here on one
 * element type (V8 slows down severalfold on loops that see many).
 */
import type { Size3 } from '../geometry.js';
import type { VoxelArray } from '../volume.js';
import { type AxisTaps, tapRange } from './taps.js';

export type TapTables = readonly [AxisTaps, AxisTaps, AxisTaps];

/** Receives output plane k (row-major, i fastest); may change it, and gets the same buffer again. */
export type EmitPlane = (plane: Float64Array, k: number) => void;

export const outputsOf = (table: AxisTaps): number => table.index.length / table.taps;

/** Computes output planes `from` … `to` − 1 of `data` under the tables of its three axes. Emits in ascending order. */
export function separablePlanes(
  data: VoxelArray,
  size: Size3,
  tables: TapTables,
  from: number,
  to: number,
  emit: EmitPlane,
): void {
  const [ti, tj, tk] = tables;
  const planeLength = outputsOf(ti) * outputsOf(tj);
  const sampler = new PlaneSampler(data, size, ti, tj);
  const ring = Array.from({ length: tk.taps }, () => new Float64Array(planeLength));
  const held = new Int32Array(tk.taps).fill(-1);
  const blended = new Float64Array(planeLength);
  for (let k = from; k < to; k++) {
    let used = 0;
    let only = 0;
    for (let t = k * tk.taps; t < (k + 1) * tk.taps; t++) {
      if (tk.weight[t] === 0) continue;
      const z = tk.index[t];
      const slot = z % tk.taps;
      if (held[slot] !== z) {
        sampler.sample(z, ring[slot]);
        held[slot] = z;
      }
      used++;
      only = t;
    }
    if (used === 1 && tk.weight[only] === 1) {
      blended.set(ring[tk.index[only] % tk.taps]);
      emit(blended, k);
      continue;
    }
    if (used === 2 && tk.taps === 2) {
      const a = 2 * k;
      blendPlanes(ring[tk.index[a] % 2], tk.weight[a], ring[tk.index[a + 1] % 2], tk.weight[a + 1], blended);
    } else {
      blended.fill(0);
      for (let t = k * tk.taps; t < (k + 1) * tk.taps; t++)
        if (tk.weight[t] !== 0) addRow(ring[tk.index[t] % tk.taps], 0, tk.weight[t], blended, planeLength);
    }
    emit(blended, k);
  }
}

/** Samples input planes in i and j. */
class PlaneSampler {
  private readonly input: Float64Array;
  private readonly row: Float64Array;
  private readonly lowRow: number;
  private readonly identityI: boolean;
  private readonly lerp: Lerp | undefined;

  constructor(
    private readonly data: VoxelArray,
    private readonly size: Size3,
    private readonly ti: AxisTaps,
    private readonly tj: AxisTaps,
  ) {
    const [low, high] = tapRange(tj, 0, outputsOf(tj));
    this.lowRow = low;
    this.input = new Float64Array((high - low + 1) * size[0]);
    this.row = new Float64Array(size[0]);
    this.lerp = tj.taps === 2 ? lerpOf(ti, size[0]) : undefined;
    this.identityI = outputsOf(ti) === size[0] && isIdentity(ti);
  }

  sample(z: number, out: Float64Array): void {
    const { input, row, ti, tj, lowRow } = this;
    const ni = this.size[0];
    const start = ni * (lowRow + this.size[1] * z);
    input.set(this.data.subarray(start, start + input.length));
    const outputs = outputsOf(ti);
    const rows = outputsOf(tj);
    const taps = tj.taps;
    for (let y = 0, to = 0; y < rows; y++, to += outputs) {
      const t = y * taps;
      if (taps === 1) {
        this.sampleRow(input, (tj.index[t] - lowRow) * ni, out, to, outputs);
        continue;
      }
      if (taps === 2 && this.lerp && !this.identityI) {
        const upper = (tj.index[t] - lowRow) * ni;
        const lower = (tj.index[t + 1] - lowRow) * ni;
        sampleBetween(input, upper, tj.weight[t], lower, tj.weight[t + 1], this.lerp, out, to);
        continue;
      }
      if (taps === 2)
        blendRows(
          input,
          (tj.index[t] - lowRow) * ni,
          tj.weight[t],
          input,
          (tj.index[t + 1] - lowRow) * ni,
          tj.weight[t + 1],
          row,
          ni,
        );
      else {
        row.fill(0);
        for (let u = t; u < t + taps; u++)
          if (tj.weight[u] !== 0) addRow(input, (tj.index[u] - lowRow) * ni, tj.weight[u], row, ni);
      }
      this.sampleRow(row, 0, out, to, outputs);
    }
  }

  private sampleRow(source: Float64Array, base: number, out: Float64Array, to: number, outputs: number): void {
    const { index, weight, taps } = this.ti;
    if (this.identityI) out.set(source.subarray(base, base + outputs), to);
    else if (taps === 1) gather1(source, base, index, out, to, outputs);
    else if (taps === 2) gather2(source, base, index, weight, out, to, outputs);
    else gatherMany(source, base, index, weight, taps, out, to, outputs);
  }
}

/** A table of two taps as one index and the weight of its successor, which loops read in half the time. */
interface Lerp {
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** Undefined unless every output lies between two neighbours (or on the last) with weights that sum to 1. */
function lerpOf({ taps, index, weight }: AxisTaps, inputs: number): Lerp | undefined {
  if (taps !== 2 || inputs < 2) return undefined;
  const lerp = { index: new Int32Array(index.length / 2), weight: new Float64Array(index.length / 2) };
  for (let o = 0, t = 0; t < index.length; o++, t += 2) {
    const last = index[t] === inputs - 1;
    if (Math.abs(weight[t] + weight[t + 1] - 1) > 2 * Number.EPSILON) return undefined;
    if (!last && index[t + 1] !== index[t] + 1) return undefined;
    lerp.index[o] = last ? inputs - 2 : index[t];
    lerp.weight[o] = last ? 1 : weight[t + 1];
  }
  return lerp;
}

function isIdentity({ taps, index, weight }: AxisTaps): boolean {
  for (let o = 0; o * taps < index.length; o++)
    for (let t = o * taps; t < (o + 1) * taps; t++)
      if (index[t] === o ? weight[t] !== 1 && weight[t] !== 0 : weight[t] !== 0) return false;
  return true;
}

/** Bilinear: blends rows that begin at `upper` and `lower` only where the outputs need them (measured 1.7 × two passes). */
function sampleBetween(
  a: Float64Array,
  upper: number,
  weightUpper: number,
  lower: number,
  weightLower: number,
  { index, weight }: Lerp,
  out: Float64Array,
  to: number,
): void {
  const n = index.length;
  for (let x = 0; x < n; x++) {
    const p = upper + index[x];
    const q = lower + index[x];
    const left = a[p] * weightUpper + a[q] * weightLower;
    const right = a[p + 1] * weightUpper + a[q + 1] * weightLower;
    out[to + x] = left + (right - left) * weight[x];
  }
}

/** Whole planes; four voxels a turn, because V8 does not unroll (measured 2 x). */
function blendPlanes(a: Float64Array, weightA: number, b: Float64Array, weightB: number, out: Float64Array): void {
  const n = out.length;
  const whole = n - (n & 3);
  for (let x = 0; x < whole; x += 4) {
    out[x] = a[x] * weightA + b[x] * weightB;
    out[x + 1] = a[x + 1] * weightA + b[x + 1] * weightB;
    out[x + 2] = a[x + 2] * weightA + b[x + 2] * weightB;
    out[x + 3] = a[x + 3] * weightA + b[x + 3] * weightB;
  }
  for (let x = whole; x < n; x++) out[x] = a[x] * weightA + b[x] * weightB;
}

function blendRows(
  a: Float64Array,
  fromA: number,
  weightA: number,
  b: Float64Array,
  fromB: number,
  weightB: number,
  out: Float64Array,
  n: number,
): void {
  for (let x = 0; x < n; x++) out[x] = a[fromA + x] * weightA + b[fromB + x] * weightB;
}

function addRow(a: Float64Array, from: number, weight: number, out: Float64Array, n: number): void {
  for (let x = 0; x < n; x++) out[x] += a[from + x] * weight;
}

function gather1(a: Float64Array, base: number, index: Int32Array, out: Float64Array, to: number, n: number): void {
  for (let x = 0; x < n; x++) out[to + x] = a[base + index[x]];
}

function gather2(
  a: Float64Array,
  base: number,
  index: Int32Array,
  weight: Float64Array,
  out: Float64Array,
  to: number,
  n: number,
): void {
  for (let x = 0, t = 0; x < n; x++, t += 2)
    out[to + x] = a[base + index[t]] * weight[t] + a[base + index[t + 1]] * weight[t + 1];
}

function gatherMany(
  a: Float64Array,
  base: number,
  index: Int32Array,
  weight: Float64Array,
  taps: number,
  out: Float64Array,
  to: number,
  n: number,
): void {
  for (let x = 0, t = 0; x < n; x++) {
    let sum = 0;
    for (let u = 0; u < taps; u++, t++) sum += a[base + index[t]] * weight[t];
    out[to + x] = sum;
  }
}
