/**
 * The way back from the network's grid to the image's, as one table per output axis: which source axis it runs along,
 * and which source planes make each output plane. Flips, crops, pads and interpolations compose into one such table, so
 * class probabilities can be carried back plane by plane, with MONAI's numbers (invert, then argmax) and without ever
 * holding them for the whole volume.
 */
import {
  type AxisTaps,
  composeAffines,
  type Grid,
  invertAffine,
  resizeTaps,
  type Size3,
  tapsAt,
} from '@isocenter/volume';
import { inverseOperation, type SpatialOperation, type SpatialStep } from '../transforms/spatial-step.js';

export interface AxisMap {
  /** Axis of the source that this output axis runs along. */
  readonly source: number;
  readonly taps: number;
  /** Output o reads source `index[o * taps + t]` with `weight[o * taps + t]`; weights 0 everywhere: outside, value 0. */
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

export type AxisMaps = readonly [AxisMap, AxisMap, AxisMap];

/** Off-axis terms that move no voxel by more than this (voxels) are noise. */
const PARALLEL_TOLERANCE = 1e-6;

export const outputsOf = (map: AxisMap): number => map.index.length / map.taps;

/** True when every output plane is one source plane as it is, or nothing. */
export function isPlain(map: AxisMap): boolean {
  return map.taps === 1 && map.weight.every((w) => w === 0 || w === 1);
}

export function identityMaps(size: Size3): AxisMaps {
  return size.map((n, source) => ({
    source,
    taps: 1,
    index: Int32Array.from({ length: n }, (_, o) => o),
    weight: new Float64Array(n).fill(1),
  })) as unknown as AxisMaps;
}

/** Composes the inverses of `steps`, last first; undefined where a grid is oblique to the one before it. */
export function inverseMaps(network: Grid, steps: readonly SpatialStep[], nearest: boolean): AxisMaps | undefined {
  let maps: readonly AxisMap[] = identityMaps(network.size);
  let grid = network;
  for (const step of [...steps].reverse()) {
    const next = extend(maps, grid, step.source, inverseOperation(step, nearest));
    if (!next) return undefined;
    maps = next;
    grid = step.source;
  }
  return maps as AxisMaps;
}

function extend(
  maps: readonly AxisMap[],
  from: Grid,
  to: Grid,
  operation: SpatialOperation,
): readonly AxisMap[] | undefined {
  switch (operation.kind) {
    case 'permute':
      return operation.permutation.order.map((axis, a) =>
        operation.permutation.flip[a] ? reversed(maps[axis]) : maps[axis],
      );
    case 'box':
      return operation.fill === 0 ? maps.map((map, a) => shifted(map, operation.start[a], to.size[a])) : undefined;
    case 'resize':
      return maps.map((map, a) => through(map, resizeTaps(from.size[a], to.size[a], operation.mode)));
    case 'resample': {
      const matrix = composeAffines(invertAffine(from.affine), to.affine);
      for (let r = 0; r < 3; r++) {
        let drift = 0;
        for (let a = 0; a < 3; a++) if (a !== r) drift += Math.abs(matrix[r * 4 + a]) * (to.size[a] - 1);
        if (drift > PARALLEL_TOLERANCE) return undefined;
      }
      return maps.map((map, a) =>
        through(
          map,
          tapsAt(from.size[a], to.size[a], (o) => matrix[a * 4 + 3] + matrix[a * 5] * o, operation.mode, 'border'),
        ),
      );
    }
  }
}

function reversed(map: AxisMap): AxisMap {
  const n = outputsOf(map);
  return pickOutputs(
    map,
    Int32Array.from({ length: n }, (_, o) => n - 1 - o),
  );
}

function shifted(map: AxisMap, start: number, length: number): AxisMap {
  const n = outputsOf(map);
  return pickOutputs(
    map,
    Int32Array.from({ length }, (_, o) => (o + start >= 0 && o + start < n ? o + start : -1)),
  );
}

function pickOutputs({ source, taps, index, weight }: AxisMap, outputs: Int32Array): AxisMap {
  const out = {
    source,
    taps,
    index: new Int32Array(outputs.length * taps),
    weight: new Float64Array(outputs.length * taps),
  };
  for (let o = 0; o < outputs.length; o++)
    for (let t = 0; t < taps && outputs[o] >= 0; t++) {
      out.index[o * taps + t] = index[outputs[o] * taps + t];
      out.weight[o * taps + t] = weight[outputs[o] * taps + t];
    }
  return out;
}

/** Output reads the intermediate axis by `table`, which reads the source by `map`: products of weights. */
function through(map: AxisMap, table: AxisTaps): AxisMap {
  const n = table.index.length / table.taps;
  const taps = table.taps * map.taps;
  const index = new Int32Array(n * taps);
  const weight = new Float64Array(n * taps);
  for (let o = 0; o < n; o++)
    for (let t = 0; t < table.taps; t++)
      for (let u = 0; u < map.taps; u++) {
        const to = o * taps + t * map.taps + u;
        const from = table.index[o * table.taps + t] * map.taps + u;
        index[to] = map.index[from];
        weight[to] = table.weight[o * table.taps + t] * map.weight[from];
      }
  return { source: map.source, taps, index, weight };
}
