/** Connected components of a mask or of one label, and choosing among them by size. */
import { type Box, labelBoxes } from '../box.js';
import { GeometryError, type Size3 } from '../geometry.js';
import { voxelCount } from '../volume.js';
import {
  type Connectivity,
  type Foreground,
  findRuns,
  type LabelArray,
  paintRuns,
  paintSpan,
  type Runs,
} from './runs.js';

/** The narrowest type that holds the number of components: fresh memory costs more time than labelling itself. */
export type ComponentLabels = Uint8Array | Uint16Array | Int32Array;

export interface Components {
  /** 0 is background; components are 1 … count in the order in which a scan (i fastest, then j, then k) meets them. */
  readonly labels: ComponentLabels;
  readonly count: number;
  /** Voxels of each component; sizes[0] is 0. */
  readonly sizes: Float64Array;
}

function check(data: LabelArray, size: Size3): void {
  if (data.length !== voxelCount(size))
    throw new GeometryError('size-mismatch', `${data.length} voxels do not fill a grid of ${size.join(' × ')}`);
}

/**
 * Labels the components of the foreground (default: voxels that are not 0). `into` may be a reused array, which is
 * cleared first. Throws GeometryError `size-mismatch`, also when `into` is too narrow for the number of components.
 */
export function connectedComponents(
  data: LabelArray,
  size: Size3,
  connectivity: Connectivity = 26,
  foreground: Foreground = 'non-zero',
  into?: ComponentLabels,
): Components {
  check(data, size);
  const runs = findRuns(data, size, connectivity, foreground);
  const labels = into ? into.fill(0) : newLabels(runs.count, data.length);
  const widest = labels.BYTES_PER_ELEMENT < 4 ? 2 ** (8 * labels.BYTES_PER_ELEMENT) - 1 : Infinity;
  if (labels.length !== data.length || runs.count > widest)
    throw new GeometryError(
      'size-mismatch',
      `The array given does not hold ${runs.count} components of ${data.length} voxels`,
    );
  const { start, end, row, component } = runs;
  for (let r = 0; r < runs.length; r++) {
    const base = row[r] * size[0];
    paintSpan(labels, component[r], base + start[r], base + end[r]);
  }
  return { labels, count: runs.count, sizes: runs.sizes };
}

function newLabels(count: number, length: number): ComponentLabels {
  if (count < 2 ** 8) return new Uint8Array(length);
  return count < 2 ** 16 ? new Uint16Array(length) : new Int32Array(length);
}

/**
 * Numbers of the `n` largest components, largest first. Among equals the one that a scan with k fastest and i slowest
 * (MONAI's C order of an (i, j, k) array) meets LAST wins, as in MONAI's KeepLargestConnectedComponent.
 */
export function largestComponents(runs: Runs, size: Size3, n: number): number[] {
  const [, nj, nk] = size;
  const firstMet = new Float64Array(runs.count + 1).fill(Infinity);
  for (let r = 0; r < runs.length; r++) {
    const j = runs.row[r] % nj;
    const k = (runs.row[r] - j) / nj;
    const place = (runs.start[r] * nj + j) * nk + k;
    if (place < firstMet[runs.component[r]]) firstMet[runs.component[r]] = place;
  }
  return Array.from({ length: runs.count }, (_, c) => c + 1)
    .sort((a, b) => runs.sizes[b] - runs.sizes[a] || firstMet[b] - firstMet[a])
    .slice(0, n);
}

export interface KeepLargestOptions {
  /** Labels to treat; default every label present. Others stay as they are. */
  readonly labels?: readonly number[];
  /** Default true: each label on its own. False: the union of the labels is one foreground. */
  readonly independent?: boolean;
  readonly connectivity?: Connectivity;
  /** How many components to keep; default 1. */
  readonly count?: number;
}

/**
 * In place: voxels of the applied labels that are not in their largest component(s) become 0
 * (MONAI KeepLargestConnectedComponent on a label map; for a one-hot array call it per channel).
 */
export function keepLargestComponents(data: LabelArray, size: Size3, options: KeepLargestOptions = {}): void {
  check(data, size);
  const connectivity = options.connectivity ?? 26;
  const boxes = labelBoxes(data, size);
  const labels = (options.labels ?? [...boxes.keys()]).filter((label) => boxes.has(label));
  const keepIn = (target: LabelArray, foreground: Foreground, box?: Box): void => {
    const runs = findRuns(target, size, connectivity, foreground, box);
    if (runs.count <= (options.count ?? 1)) return;
    const keep = new Set(largestComponents(runs, size, options.count ?? 1));
    paintRuns(runs, size[0], data, 0, (component) => !keep.has(component));
  };
  if (options.independent ?? true) for (const label of labels) keepIn(data, { is: label }, boxes.get(label));
  else keepIn(unionOf(data, labels), 'non-zero');
}

/** In place: components (of each label, or of all labels together) with fewer than `minSize` voxels become 0. */
export function removeSmallComponents(
  data: LabelArray,
  size: Size3,
  minSize: number,
  connectivity: Connectivity = 6,
  independent = true,
): void {
  check(data, size);
  const remove = (foreground: Foreground, box?: Box): void => {
    const runs = findRuns(data, size, connectivity, foreground, box);
    paintRuns(runs, size[0], data, 0, (component) => runs.sizes[component] < minSize);
  };
  if (independent) for (const [label, box] of labelBoxes(data, size)) remove({ is: label }, box);
  else remove('non-zero');
}

function unionOf(data: LabelArray, labels: readonly number[]): Uint8Array {
  const member = new Uint8Array(65536);
  for (const label of labels) member[label] = 1;
  const out = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) out[at] = member[data[at]];
  return out;
}
