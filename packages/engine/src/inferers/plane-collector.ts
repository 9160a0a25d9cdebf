/**
 * Takes finished planes of class scores, carries them back to the image's grid, applies the class-wise post-processing
 * there, and keeps only what that leaves (a label per voxel, usually). See axis-maps.ts for the way back.
 */
import { type Grid, type Size3, voxelCount } from '@isocenter/volume';
import { type ChannelTensor, makeTensor, type TensorData } from '../transforms/tensor.js';
import type { Pointwise } from '../transforms/transform.js';
import { type AxisMap, type AxisMaps, identityMaps, isPlain, outputsOf } from './axis-maps.js';
import type { PlaneSink } from './inferer.js';

export interface CollectorPlan {
  /** Class-wise work on the network's grid. */
  readonly before: readonly Pointwise[];
  /** The way to the grid of the result; undefined: it is the network's. */
  readonly maps?: AxisMaps | undefined;
  /** Class-wise work on the grid of the result. */
  readonly after: readonly Pointwise[];
  readonly network: Grid;
  readonly target: Grid;
  readonly rank: ChannelTensor['rank'];
}

export class PlaneCollector implements PlaneSink {
  private readonly maps: AxisMaps;
  /** Where planes only move, class-wise work is done before they do: on fewer voxels, and once. */
  private readonly plain: boolean;
  private readonly before: readonly Pointwise[];
  private readonly after: readonly Pointwise[];
  /** What post-processing makes of voxels that lie outside what the network saw (scores 0), per channel. */
  private outside: Float32Array = new Float32Array(0);
  private values: Float32Array | undefined;
  private out: TensorData = new Uint8Array(0);
  private channels = 0;
  private channelsOut = 0;
  private slow = 0;
  /** Output planes by the last source plane they need. */
  private ready: number[][] = [];
  /** Last source plane that still needs this one. */
  private neededUntil = new Int32Array(0);
  private readonly held = new Map<number, Float32Array>();

  constructor(private readonly plan: CollectorPlan) {
    this.maps = plan.maps ?? identityMaps(plan.network.size);
    this.plain = this.maps.every(isPlain);
    this.before = this.plain ? [...plan.before, ...plan.after] : plan.before;
    this.after = this.plain ? [] : plan.after;
  }

  begin(channels: number, slow: number): void {
    const { plan, maps } = this;
    this.slow = slow;
    this.channels = this.before.reduce((n, stage) => stage.channelsOut(n), channels);
    this.channelsOut = this.after.reduce((n, stage) => stage.channelsOut(n), this.channels);
    const scores = plan.before.reduce((n, stage) => stage.channelsOut(n), channels);
    if (this.plain) this.outside = applyAll(plan.after, new Float32Array(scores), 1);
    const largest = this.largestValue(channels);
    const length = this.channelsOut * voxelCount(plan.target.size);
    this.out =
      largest === undefined || largest > 65535
        ? new Float32Array(length)
        : largest > 255
          ? new Uint16Array(length)
          : new Uint8Array(length);
    const map = maps.find(({ source }) => source === slow) as AxisMap;
    const planes = plan.network.size[slow];
    this.ready = Array.from({ length: planes }, () => []);
    this.neededUntil = new Int32Array(planes).fill(-1);
    for (let o = 0; o < outputsOf(map); o++) {
      let [low, high] = [planes, 0];
      for (let t = o * map.taps; t < (o + 1) * map.taps; t++) {
        if (map.weight[t] === 0) continue;
        low = Math.min(low, map.index[t]);
        high = Math.max(high, map.index[t]);
      }
      this.ready[high].push(o);
      for (let plane = low; plane <= high; plane++) this.neededUntil[plane] = Math.max(this.neededUntil[plane], high);
    }
  }

  vector(values: Float32Array): void {
    this.values = applyAll([...this.before, ...this.after], values.slice(), 1);
  }

  plane(index: number, scores: Float32Array): void {
    const { plan } = this;
    const { size } = plan.network;
    const count = (size[0] * size[1] * size[2]) / size[this.slow];
    const data = applyAll(this.before, scores, count);
    if (this.neededUntil[index] > index) this.held.set(index, data.slice());
    for (const o of this.ready[index]) this.emit(o, index, data, count);
    for (const plane of this.held.keys()) if (this.neededUntil[plane] <= index) this.held.delete(plane);
  }

  /** The result: label planes that have come together, or the vector. */
  finish(): ChannelTensor {
    if (this.values)
      return makeTensor(this.values, this.values.length, { size: [1, 1, 1], affine: this.plan.target.affine }, 0);
    return makeTensor(this.out, this.channelsOut, this.plan.target, this.plan.rank);
  }

  private largestValue(channels: number): number | undefined {
    const { before, after } = this;
    const known = (stages: readonly Pointwise[], n: number) => {
      let largest: number | undefined;
      let width = n;
      for (const stage of stages) {
        largest = stage.largest(width);
        width = stage.channelsOut(width);
      }
      return largest;
    };
    if (after.length > 0) return known(after, this.channels);
    return this.plain ? known(before, channels) : undefined;
  }

  private emit(o: number, index: number, current: Float32Array, count: number): void {
    const { plan, maps, slow, channels } = this;
    const a = maps.findIndex(({ source }) => source === slow);
    const blended = this.blend(maps[a], o, index, current);
    const [u, v] = [0, 1, 2].filter((axis) => axis !== a);
    const [nu, nv] = [outputsOf(maps[u]), outputsOf(maps[v])];
    const p = [0, 1, 2].find((axis) => axis !== slow) as number;
    const columns = count / plan.network.size[p];
    const data = new Float32Array(channels * nu * nv);
    if (this.plain)
      for (let channel = 0; channel < channels; channel++) {
        const part = data.subarray(channel * nu * nv, (channel + 1) * nu * nv);
        part.fill(this.outside[channel]);
        if (blended) gatherPlane(blended, channel * count, columns, maps[u], maps[v], maps[u].source === p, part);
      }
    else if (blended)
      for (let channel = 0; channel < channels; channel++)
        samplePlane(
          blended,
          channel * count,
          columns,
          plan.network.size[p],
          maps[u],
          maps[v],
          maps[u].source === p,
          data,
          channel * nu * nv,
        );
    this.scatter(applyAll(this.after, data, nu * nv), a, o, u, v, nu, nv);
  }

  /** Blends the source planes of one output plane; the plane itself where it is just one. */
  private blend(
    map: AxisMap,
    o: number,
    index: number,
    current: Float32Array,
  ): Float32Array | Float64Array | undefined {
    let out: Float64Array | undefined;
    for (let t = o * map.taps; t < (o + 1) * map.taps; t++) {
      const weight = map.weight[t];
      if (weight === 0) continue;
      const plane = map.index[t] === index ? current : (this.held.get(map.index[t]) as Float32Array);
      if (weight === 1) return plane;
      out ??= new Float64Array(plane.length);
      for (let at = 0; at < plane.length; at++) out[at] += weight * plane[at];
    }
    return out;
  }

  private scatter(data: Float32Array, a: number, o: number, u: number, v: number, nu: number, nv: number): void {
    const { size } = this.plan.target;
    const strides = [1, size[0], size[0] * size[1]];
    const volume = voxelCount(size as Size3);
    const { out } = this;
    for (let channel = 0, from = 0; channel < this.channelsOut; channel++)
      for (let y = 0; y < nv; y++) {
        let to = channel * volume + o * strides[a] + y * strides[v];
        for (let x = 0; x < nu; x++, from++, to += strides[u]) out[to] = data[from];
      }
  }
}

function applyAll(stages: readonly Pointwise[], data: Float32Array, count: number): Float32Array {
  let current = data;
  for (const stage of stages) current = stage.apply(current, current.length / count, count);
  return current;
}

/** One channel of a source plane where voxels only move; voxels outside the source are left as they are. */
function gatherPlane(
  plane: Float32Array | Float64Array,
  base: number,
  columns: number,
  u: AxisMap,
  v: AxisMap,
  crossed: boolean,
  out: Float32Array,
): void {
  const [stepU, stepV] = crossed ? [columns, 1] : [1, columns];
  for (let y = 0, to = 0; y < v.index.length; y++) {
    const row = base + v.index[y] * stepV;
    for (let x = 0; x < u.index.length; x++, to++)
      if (v.weight[y] !== 0 && u.weight[x] !== 0) out[to] = plane[row + u.index[x] * stepU];
  }
}

/**
 * One channel of a source plane ([p][q], q fastest) to an output plane (u fastest). `crossed`: u runs along p.
 * First along q, then along p; sums in float64.
 */
function samplePlane(
  plane: Float32Array | Float64Array,
  base: number,
  columns: number,
  rows: number,
  u: AxisMap,
  v: AxisMap,
  crossed: boolean,
  out: Float32Array,
  to: number,
): void {
  const [alongP, alongQ] = crossed ? [u, v] : [v, u];
  const [np, nq] = [outputsOf(alongP), outputsOf(alongQ)];
  const [stepP, stepQ] = crossed ? [1, np] : [nq, 1];
  const row = new Float64Array(nq * rows);
  for (let r = 0, at = 0; r < rows; r++) {
    const source = base + r * columns;
    for (let x = 0, t = 0; x < nq; x++, at++) {
      let sum = 0;
      for (let n = 0; n < alongQ.taps; n++, t++)
        if (alongQ.weight[t] !== 0) sum += alongQ.weight[t] * plane[source + alongQ.index[t]];
      row[at] = sum;
    }
  }
  for (let y = 0; y < np; y++)
    for (let x = 0; x < nq; x++) {
      let sum = 0;
      for (let t = y * alongP.taps; t < (y + 1) * alongP.taps; t++)
        if (alongP.weight[t] !== 0) sum += alongP.weight[t] * row[alongP.index[t] * nq + x];
      out[to + y * stepP + x * stepQ] = sum;
    }
}
