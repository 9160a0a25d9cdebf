/** Contours of a whole label map, and back: the slices of trace-plane.ts and fill-plane.ts one after the other. */
import type { Watch } from '../progress.js';
import type { LabelMap } from '../volume.js';
import { checkRings, type FillReport, type FillRule, fillPlane } from './fill-plane.js';
import { ContourError, type HoleMode, type LabelContours, type LabelPlane, type PlaneContours } from './rings.js';
import { tracePlane } from './trace-plane.js';

export interface TraceMapOptions extends Watch {
  /** Default 'even-odd'. */
  readonly holes?: HoleMode;
  /** As in TraceOptions: pixels inside of the voxel edges; default 0. */
  readonly inset?: number;
  /** Only these labels; default: all but 0. A label without voxels is not in the answer. */
  readonly labels?: Iterable<number>;
}

/** Slice k of a label map, sharing its voxels. Throws ContourError `plane-mismatch` when there is no such slice. */
export function planeOf(map: LabelMap, k: number): LabelPlane {
  const [ni, nj, nk] = map.size;
  if (!Number.isInteger(k) || k < 0 || k >= nk)
    throw new ContourError('plane-mismatch', `There is no slice ${k} in a volume of ${nk} slices`);
  return { data: map.data, offset: k * ni * nj, ni, nj };
}

/**
 * Contours of all labels of a map, labels ascending: rings along voxel edges, in index coordinates (i, j) of slice k; the
 * map's affine turns (i, j, k) into LPS mm. Aborts with the signal's reason.
 */
export function traceLabelMap(map: LabelMap, options: TraceMapOptions = {}): readonly LabelContours[] {
  const { holes: mode = 'even-odd', inset, progress, signal } = options;
  const labels = options.labels === undefined ? undefined : new Set(options.labels);
  const found = new Map<number, PlaneContours[]>();
  const nk = map.size[2];
  for (let k = 0; k < nk; k++) {
    signal?.throwIfAborted();
    for (const contours of tracePlane(planeOf(map, k), { holes: mode, inset, labels, k })) {
      const planes = found.get(contours.label);
      if (planes === undefined) found.set(contours.label, [contours]);
      else planes.push(contours);
    }
    progress?.(k + 1, nk, 'contours');
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([label, planes]) => Object.freeze({ kind: 'label-contours', label, mode, planes }));
}

/**
 * Fills one label's contours into a map (its own label, unless another is given); other voxels stay.
 * Throws what fillPlane throws, and ContourError `plane-mismatch` for a slice that the map does not have, before it writes.
 */
export function fillLabel(
  map: LabelMap,
  contours: Pick<LabelContours, 'label' | 'planes'>,
  options: { readonly label?: number; readonly rule?: FillRule } = {},
): FillReport {
  for (const { k, rings } of contours.planes) {
    planeOf(map, k);
    checkRings(rings);
  }
  let changed = 0;
  let overwritten = 0;
  let ignoredRings = 0;
  for (const { k, rings } of contours.planes) {
    const report = fillPlane(planeOf(map, k), rings, options.label ?? contours.label, options.rule);
    changed += report.changed;
    overwritten += report.overwritten;
    ignoredRings += report.ignoredRings;
  }
  return { changed, overwritten, ignoredRings };
}
