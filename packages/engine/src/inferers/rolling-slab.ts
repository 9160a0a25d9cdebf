/**
 * Sums windows of class scores where they overlap, for as many planes as windows can still touch: a ring of `depth`
 * planes along the slow axis. Memory is depth × plane × classes, however long the volume is. Sums are float32, in the
 * order in which windows come, as in MONAI.
 */
import type { Size3 } from '@isocenter/volume';
import type { PlaneSink } from './inferer.js';

export interface SlabWindow {
  /** [channels][i][j][k] of `size`, k fastest. */
  readonly data: Float32Array;
  readonly size: Size3;
  /** The part of the window that counts. */
  readonly from: readonly [number, number, number];
  readonly extent: readonly [number, number, number];
  /** Where that part lies in the image; entirely inside it. */
  readonly at: readonly [number, number, number];
  /** Weight per window voxel, same order; undefined: 1. */
  readonly weights?: Float32Array | undefined;
}

export class RollingSlab {
  private readonly sums: Float32Array;
  private readonly weights: Float32Array | undefined;
  private readonly scratch: Float32Array;
  private readonly p: number;
  private readonly q: number;
  private next = 0;

  /** `overlapping` false: every voxel is given exactly once, so nothing is divided. */
  constructor(
    private readonly image: Size3,
    private readonly channels: number,
    private readonly slow: number,
    private readonly depth: number,
    overlapping: boolean,
    private readonly sink: PlaneSink,
  ) {
    [this.p, this.q] = [0, 1, 2].filter((axis) => axis !== slow);
    const plane = image[this.p] * image[this.q];
    this.sums = new Float32Array(depth * channels * plane);
    this.weights = overlapping ? new Float32Array(depth * plane) : undefined;
    this.scratch = new Float32Array(channels * plane);
    sink.begin(channels, slow);
  }

  add(window: SlabWindow): void {
    const { size, from, extent, at } = window;
    const { slow, p, q, image, channels } = this;
    const strides = [size[1] * size[2], size[2], 1];
    const volume = size[0] * size[1] * size[2];
    const plane = image[p] * image[q];
    for (let s = 0; s < extent[slow]; s++) {
      const slot = (at[slow] + s) % this.depth;
      for (let x = 0; x < extent[p]; x++) {
        const source = (from[slow] + s) * strides[slow] + (from[p] + x) * strides[p] + from[q] * strides[q];
        const target = (at[p] + x) * image[q] + at[q];
        for (let channel = 0; channel < channels; channel++)
          addRow(
            this.sums,
            (slot * channels + channel) * plane + target,
            window.data,
            source + channel * volume,
            window.weights,
            source,
            strides[q],
            extent[q],
          );
        if (this.weights) countRow(this.weights, slot * plane + target, window.weights, source, strides[q], extent[q]);
      }
    }
  }

  /** Hands over the planes before `end`: no later window touches them. */
  flush(end: number): void {
    const { channels, depth, weights, scratch } = this;
    const plane = scratch.length / channels;
    for (; this.next < end; this.next++) {
      const slot = this.next % depth;
      const held = this.sums.subarray(slot * channels * plane, (slot + 1) * channels * plane);
      if (weights) {
        const count = weights.subarray(slot * plane, (slot + 1) * plane);
        for (let channel = 0, at = 0; channel < channels; channel++)
          for (let voxel = 0; voxel < plane; voxel++, at++) scratch[at] = held[at] / count[voxel];
        count.fill(0);
      } else scratch.set(held);
      held.fill(0);
      this.sink.plane(this.next, scratch);
    }
  }
}

/**
 * sums[to …] += data · weights over a row; rows that lie in one piece take loops without a second index. The outer
 * fround changes no result and lets the addition be done in float32.
 */
function addRow(
  sums: Float32Array,
  to: number,
  data: Float32Array,
  from: number,
  weights: Float32Array | undefined,
  weightFrom: number,
  stride: number,
  n: number,
): void {
  if (stride === 1 && weights)
    for (let y = 0; y < n; y++)
      sums[to + y] = Math.fround(sums[to + y] + Math.fround(data[from + y] * weights[weightFrom + y]));
  else if (stride === 1) for (let y = 0; y < n; y++) sums[to + y] += data[from + y];
  else if (weights)
    for (let y = 0; y < n; y++) sums[to + y] += Math.fround(data[from + y * stride] * weights[weightFrom + y * stride]);
  else for (let y = 0; y < n; y++) sums[to + y] += data[from + y * stride];
}

function countRow(
  counts: Float32Array,
  to: number,
  weights: Float32Array | undefined,
  from: number,
  stride: number,
  n: number,
): void {
  if (!weights) for (let y = 0; y < n; y++) counts[to + y] += 1;
  else if (stride === 1) for (let y = 0; y < n; y++) counts[to + y] = Math.fround(counts[to + y] + weights[from + y]);
  else for (let y = 0; y < n; y++, from += stride) counts[to + y] += weights[from];
}
