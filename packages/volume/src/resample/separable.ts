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
      blendRows(
        ring[tk.index[a] % 2],
        0,
        tk.weight[a],
        ring[tk.index[a + 1] % 2],
        0,
        tk.weight[a + 1],
        blended,
        planeLength,
      );
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

function isIdentity({ taps, index, weight }: AxisTaps): boolean {
  for (let o = 0; o * taps < index.length; o++)
    for (let t = o * taps; t < (o + 1) * taps; t++)
      if (index[t] === o ? weight[t] !== 1 && weight[t] !== 0 : weight[t] !== 0) return false;
  return true;
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
