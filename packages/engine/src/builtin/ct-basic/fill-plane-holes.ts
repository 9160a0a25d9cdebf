/** Closes holes within single planes: background that no path within the plane joins to its border. */
import { findRuns, type Size3 } from '@isocenter/volume';

export interface PlaneHole {
  readonly voxels: number;
  /** Mean of `values` over the hole; NaN without values. */
  readonly mean: number;
}

/**
 * In place: sets to `label` every hole of the voxels equal to `label` that `accept` takes (default: all). A hole may
 * hold other labels; only its zeros are set. 4-connected background, each i-j plane on its own.
 */
export function fillPlaneHoles(
  data: Uint8Array,
  size: Size3,
  label: number,
  accept: (hole: PlaneHole) => boolean = () => true,
  values?: ArrayLike<number>,
): void {
  const [ni, nj] = size;
  const runs = findRuns(data, size, 4, { isNot: label });
  const open = new Uint8Array(runs.count + 1);
  const sum = new Float64Array(values === undefined ? 0 : runs.count + 1);
  for (let r = 0; r < runs.length; r++) {
    const j = runs.row[r] % nj;
    if (runs.start[r] === 0 || runs.end[r] === ni || j === 0 || j === nj - 1) open[runs.component[r]] = 1;
  }
  if (values !== undefined)
    for (let r = 0; r < runs.length; r++) {
      if (open[runs.component[r]]) continue;
      const base = runs.row[r] * ni;
      for (let i = runs.start[r]; i < runs.end[r]; i++) sum[runs.component[r]] += values[base + i];
    }
  for (let c = 1; c <= runs.count; c++) {
    const voxels = runs.sizes[c];
    const mean = values === undefined ? Number.NaN : sum[c] / voxels;
    if (!open[c] && !accept({ voxels, mean })) open[c] = 1;
  }
  for (let r = 0; r < runs.length; r++) {
    if (open[runs.component[r]]) continue;
    const base = runs.row[r] * ni;
    for (let i = runs.start[r]; i < runs.end[r]; i++) if (data[base + i] === 0) data[base + i] = label;
  }
}
