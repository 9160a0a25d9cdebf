/**
 * `isocenter.TiledInferer`: exact tiling for fully convolutional networks. Each tile is run with a halo of at least the
 * receptive field and only its core is kept; tiles are clipped at the image's border, so that zero padding happens there
 * and nowhere else. The result is that of one run over the whole image, to float noise; memory is that of one tile.
 * MONAI has no such inferer (its overlapping windows pad every window's border).
 */
import type { Size3, Watch } from '@isocenter/volume';
import type { ChannelTensor } from '../transforms/tensor.js';
import type { Inferer, PlaneSink, Predict } from './inferer.js';
import { RollingSlab } from './rolling-slab.js';
import { checkShape } from './sliding-window.js';
import { cutWindow } from './windows.js';

export interface TiledOptions {
  /** Core of a tile per axis; 0 or negative: the whole axis. */
  readonly tile: readonly number[];
  /** Voxels around the core: the receptive field's radius, one number or one per axis. */
  readonly halo: readonly number[];
}

const NAME = 'TiledInferer';
const pick = (list: readonly number[], axis: number): number => list[list.length === 1 ? 0 : axis] ?? 0;

/** Tiles of equal size (to one voxel), so that the last is not a sliver that costs a whole halo. */
function cuts(n: number, tile: number): number[] {
  const count = tile > 0 ? Math.ceil(n / tile) : 1;
  return Array.from({ length: count + 1 }, (_, at) => Math.round((at * n) / count));
}

export function tiled(options: TiledOptions): Inferer {
  const layout = ({ size, rank }: ChannelTensor) => {
    const lists = size.map((n, axis) => (axis < rank ? cuts(n, pick(options.tile, axis)) : [0, n]));
    const longest = (axis: number) => Math.max(...lists[axis].slice(1).map((end, at) => end - lists[axis][at]));
    const slow = [0, 1, 2].reduce(
      (best, axis) => (longest(axis) / size[axis] < longest(best) / size[best] ? axis : best),
      0,
    );
    return { lists, longest, slow };
  };
  return {
    name: NAME,
    largestWindow(tensor) {
      const { longest } = layout(tensor);
      return tensor.size.map((n, axis) =>
        Math.min(n, longest(axis) + 2 * pick(options.halo, axis)),
      ) as unknown as Size3;
    },
    heldPlanes(tensor) {
      const { longest, slow } = layout(tensor);
      return { planes: longest(slow), slow };
    },
    run: async (predict: Predict, tensor: ChannelTensor, sink: PlaneSink, watch: Watch) => {
      const { lists, longest, slow } = layout(tensor);
      const { size, channels, rank } = tensor;
      const [p, q] = [0, 1, 2].filter((axis) => axis !== slow);
      const total = lists.reduce((product, list) => product * (list.length - 1), 1);
      let slab: RollingSlab | undefined;
      let done = 0;
      for (let s = 0; s + 1 < lists[slow].length; s++) {
        for (let a = 0; a + 1 < lists[p].length; a++)
          for (let b = 0; b + 1 < lists[q].length; b++) {
            watch.signal?.throwIfAborted();
            const cell = [0, 0, 0];
            cell[slow] = s;
            cell[p] = a;
            cell[q] = b;
            const at = cell.map((c, axis) => lists[axis][c]) as [number, number, number];
            const end = cell.map((c, axis) => lists[axis][c + 1]);
            const halo = [0, 1, 2].map((axis) => (axis < rank ? pick(options.halo, axis) : 0));
            const start = at.map((x, axis) => Math.max(0, x - halo[axis])) as [number, number, number];
            const window = end.map((x, axis) => Math.min(size[axis], x + halo[axis]) - start[axis]) as unknown as Size3;
            const input = new Float32Array(channels * window[0] * window[1] * window[2]);
            cutWindow(tensor, { start, size: window }, 'constant', 0, input);
            const answer = await predict(input, channels, window.slice(0, rank));
            checkShape(answer, window.slice(0, rank), NAME);
            slab ??= new RollingSlab(size, answer.channels, slow, longest(slow), false, sink);
            slab.add({
              data: answer.data,
              size: window,
              from: at.map((x, axis) => x - start[axis]) as [number, number, number],
              extent: end.map((x, axis) => x - at[axis]) as [number, number, number],
              at,
            });
            watch.progress?.(++done, total, 'network');
          }
        slab?.flush(lists[slow][s + 1]);
      }
    },
  };
}
