/** Filling holes: background that is cut off from the border by a label becomes that label (MONAI FillHoles). */
import { type Box, labelBoxes } from '../box.js';
import type { Size3 } from '../geometry.js';
import { copyPermuted, sameTypeArray } from '../permute.js';
import { type Connectivity, findRuns, type LabelArray, paintRuns } from './runs.js';

export interface FillHolesOptions {
  /** Labels to treat, in this order; default every label present, ascending. */
  readonly labels?: readonly number[];
  /** How the flood from outside spreads; default 26 (8 in planes). 6 (4) fills more: corners no longer let it through. */
  readonly connectivity?: Connectivity;
}

/**
 * In place, per label: voxels of other values that a flood from the border cannot reach become the label, whatever they
 * were before. Axes of one voxel have no border (a single slice is treated in its plane).
 */
export function fillHoles(data: LabelArray, size: Size3, options: FillHolesOptions = {}): void {
  fill(data, size, options.labels, options.connectivity ?? 26, true);
}

/** The same within each plane across `axis` (0 = i, 1 = j, 2 = k), planes apart; connectivity 4 or 8 (default). */
export function fillHolesInPlanes(
  data: LabelArray,
  size: Size3,
  axis: 0 | 1 | 2,
  options: FillHolesOptions = {},
): void {
  const connectivity = options.connectivity ?? 8;
  if (axis === 2) {
    fill(data, size, options.labels, connectivity, false);
    return;
  }
  const order = axis === 0 ? ([1, 2, 0] as const) : ([0, 2, 1] as const);
  const back = axis === 0 ? ([2, 0, 1] as const) : ([0, 2, 1] as const);
  const flip = [false, false, false] as const;
  const turnedSize = order.map((a) => size[a]) as unknown as Size3;
  const turned = sameTypeArray(data, data.length);
  copyPermuted(data, size, [0, 0, 0], size, { order, flip }, turned);
  fill(turned, turnedSize, options.labels, connectivity, false);
  copyPermuted(turned, turnedSize, [0, 0, 0], turnedSize, { order: back, flip }, data);
}

function fill(
  data: LabelArray,
  size: Size3,
  labels: readonly number[] | undefined,
  connectivity: Connectivity,
  inSpace: boolean,
): void {
  const boxes = labelBoxes(data, size);
  for (const label of labels ?? boxes.keys()) {
    // A hole lies inside its label's box; background at a face of the box reaches the border straight ahead.
    const box = boxes.get(label);
    if (box) fillInBox(data, size, label, box, connectivity, inSpace);
  }
}

function fillInBox(
  data: LabelArray,
  size: Size3,
  label: number,
  box: Box,
  connectivity: Connectivity,
  inSpace: boolean,
): void {
  const { low, high } = box;
  const runs = findRuns(data, size, connectivity, { isNot: label }, box);
  const open = new Uint8Array(runs.count + 1);
  const borders = size.map((n, a) => n > 1 && (a < 2 || inSpace));
  for (let r = 0; r < runs.length; r++) {
    const j = runs.row[r] % size[1];
    const k = (runs.row[r] - j) / size[1];
    if (
      (borders[0] && (runs.start[r] === low[0] || runs.end[r] === high[0])) ||
      (borders[1] && (j === low[1] || j === high[1] - 1)) ||
      (borders[2] && (k === low[2] || k === high[2] - 1))
    )
      open[runs.component[r]] = 1;
  }
  paintRuns(runs, size[0], data, label, (component) => open[component] === 0);
}
