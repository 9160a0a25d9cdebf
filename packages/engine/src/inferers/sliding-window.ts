/**
 * Sliding windows over the image, blended where they overlap (specs/monai.md C.5), and the inferers that are special
 * cases of it: one window (Simple), windows on each slice (Slice). Windows run in MONAI's order, with one freedom: the
 * axis that changes slowest is the one whose slab of unfinished planes is smallest, which changes results by float noise
 * only (the same sums in another order) and never changes which windows there are.
 */
import type { Size3, Watch } from '@isocenter/volume';
import type { ChannelTensor } from '../transforms/tensor.js';
import type { Inferer, NetworkAnswer, PlaneSink, Predict } from './inferer.js';
import { InfererError } from './inferer-error.js';
import { RollingSlab } from './rolling-slab.js';
import { gaussianImportance, scanStarts } from './scan.js';
import { cutWindow, type PaddingMode } from './windows.js';

export interface SlidingWindowOptions {
  readonly name: string;
  /** Window per axis; 0, negative or absent: the whole axis. */
  readonly roi: readonly (number | undefined)[];
  /** One number, or one per axis. */
  readonly overlap: readonly number[];
  readonly mode: 'constant' | 'gaussian';
  readonly sigmaScale: readonly number[];
  readonly paddingMode: PaddingMode;
  readonly cval: number;
  /** An axis along which the network sees single voxels and does not have it among its axes (SliceInferer). */
  readonly squeeze?: number;
}

/** Axis 0 stays slowest (MONAI's order) unless another needs less than this share of its slab. */
const WORTH_ANOTHER_ORDER = 0.8;

interface Scan {
  readonly roi: Size3;
  readonly starts: readonly (readonly number[])[];
  readonly slow: number;
}

function scanOf(options: SlidingWindowOptions, { size, rank }: ChannelTensor): Scan {
  const squeeze = options.squeeze ?? (rank === 2 ? 2 : undefined);
  const roi = size.map((n, axis) => {
    if (axis === squeeze) return 1;
    const at = options.squeeze !== undefined && axis > options.squeeze ? axis - 1 : axis;
    const wanted = options.roi[options.roi.length === 1 ? 0 : at];
    return wanted !== undefined && wanted > 0 ? wanted : n;
  }) as unknown as Size3;
  const starts = size.map((n, axis) => {
    // An image smaller than the window is padded on both sides, the odd voxel at the end.
    if (n < roi[axis]) return [-Math.floor((roi[axis] - n) / 2)];
    const at = options.squeeze !== undefined && axis > options.squeeze ? axis - 1 : axis;
    return scanStarts(n, roi[axis], axis === squeeze ? 0 : options.overlap[options.overlap.length === 1 ? 0 : at]);
  });
  const slab = [0, 1, 2].map((axis) => Math.min(roi[axis], size[axis]) / size[axis]);
  const best = slab.indexOf(Math.min(...slab));
  return { roi, starts, slow: options.squeeze ?? (slab[best] < slab[0] * WORTH_ANOTHER_ORDER ? best : 0) };
}

export function slidingWindow(options: SlidingWindowOptions): Inferer {
  return {
    name: options.name,
    largestWindow: (tensor) => scanOf(options, tensor).roi,
    heldPlanes(tensor) {
      const { roi, slow, starts } = scanOf(options, tensor);
      return starts.every((list) => list.length === 1)
        ? { planes: 1, slow: 0 }
        : { planes: Math.min(roi[slow], tensor.size[slow]), slow };
    },
    run: (predict, tensor, sink, watch) => runWindows(options, predict, tensor, sink, watch),
  };
}

async function runWindows(
  options: SlidingWindowOptions,
  predict: Predict,
  tensor: ChannelTensor,
  sink: PlaneSink,
  watch: Watch,
): Promise<void> {
  const { roi, starts, slow } = scanOf(options, tensor);
  const { size, channels, rank } = tensor;
  const squeeze = options.squeeze ?? (rank === 2 ? 2 : undefined);
  const seen = roi.filter((_, axis) => axis !== squeeze);
  const [p, q] = [0, 1, 2].filter((axis) => axis !== slow);
  const total = starts.reduce((product, list) => product * list.length, 1);
  const weights = options.mode === 'gaussian' && total > 1 ? gaussianImportance(seen, options.sigmaScale) : undefined;
  const input = new Float32Array(channels * roi[0] * roi[1] * roi[2]);
  let slab: RollingSlab | undefined;
  let done = 0;
  for (const [index, s] of starts[slow].entries()) {
    for (const a of starts[p])
      for (const b of starts[q]) {
        watch.signal?.throwIfAborted();
        const start: [number, number, number] = [0, 0, 0];
        start[slow] = s;
        start[p] = a;
        start[q] = b;
        cutWindow(tensor, { start, size: roi }, options.paddingMode, options.cval, input);
        const answer = await predict(input, channels, seen);
        if (answer.spatial.length === 0 && total === 1) return sink.vector(answer.data);
        checkShape(answer, seen, options.name);
        const from = start.map((x) => Math.max(0, -x)) as [number, number, number];
        const at = start.map((x) => Math.max(0, x)) as [number, number, number];
        const extent = start.map((x, axis) => Math.min(size[axis], x + roi[axis]) - at[axis]) as [
          number,
          number,
          number,
        ];
        const window = { data: answer.data, size: roi, from, extent, at, weights };
        if (total === 1) emitWhole(window, size, answer.channels, sink);
        else {
          slab ??= new RollingSlab(size, answer.channels, slow, Math.min(roi[slow], size[slow]), true, sink);
          slab.add(window);
        }
        watch.progress?.(++done, total, 'network');
      }
    slab?.flush(Math.max(0, starts[slow][index + 1] ?? size[slow]));
  }
}

/** A single window is the answer already: its planes go out as they are. */
function emitWhole(
  window: { data: Float32Array; size: Size3; from: readonly number[] },
  image: Size3,
  channels: number,
  sink: PlaneSink,
): void {
  const [ni, nj, nk] = image;
  const [wi, wj, wk] = window.size;
  const plane = new Float32Array(channels * nj * nk);
  sink.begin(channels, 0);
  for (let i = 0; i < ni; i++) {
    for (let channel = 0; channel < channels; channel++)
      for (let j = 0; j < nj; j++) {
        const from = ((channel * wi + i + window.from[0]) * wj + j + window.from[1]) * wk + window.from[2];
        plane.set(window.data.subarray(from, from + nk), (channel * nj + j) * nk);
      }
    sink.plane(i, plane);
  }
}

export function checkShape(answer: NetworkAnswer, expected: readonly number[], name: string): void {
  if (answer.spatial.join() !== expected.join())
    throw new InfererError(
      'output-mismatch',
      `The network was shown ${expected.join(' × ')} voxels and answered ${answer.spatial.join(' × ') || 'a vector'}`,
      {
        where: name,
        next: 'The inferer needs a network that answers on the grid it was shown; choose SimpleInferer for a network that answers one vector',
      },
    );
}
