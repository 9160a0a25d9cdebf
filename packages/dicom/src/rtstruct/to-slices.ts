/** Contours in the patient to rings in slices: index coordinates by the inverse affine, the nearest slice, its plane alone. */
import { type Affine, type Grid, invertAffine, type Ring, spacingOf } from '@isocenter/volume';
import {
  FARTHEST_PIXEL,
  OFF_PLANE_MM,
  PARALLEL_TOLERANCE_SLICES,
  type RtFindings,
  SAME_PLANE_SLICES,
} from './findings.js';
import type { RtContour, RtRoi } from './structure-set.js';

const COORDINATES = 3;
const SMALLEST_POLYGON = 3;
/** Terms of PS3.3 C.8.8.6.3 that enclose an area. */
const CLOSED: readonly string[] = ['CLOSED_PLANAR', 'CLOSEDPLANAR_XOR', 'CLOSED_PLANAR_XOR'];

export interface SliceRings {
  readonly k: number;
  readonly rings: readonly Ring[];
}

interface PlacedRing {
  readonly ring: Float64Array;
  /** Fractional slice index of the contour's plane. */
  readonly plane: number;
}

/** Rings of one ROI by slice, ascending; what could not be placed goes to `findings`. */
export function roiToSlices(roi: RtRoi, grid: Grid, findings: RtFindings): readonly SliceRings[] {
  const toIndex = invertAffine(grid.affine);
  const sliceMm = spacingOf(grid.affine)[2];
  const where = `ROI ${roi.number} '${roi.name}'`;
  const bySlice = new Map<number, PlacedRing[]>();
  for (const contour of roi.contours) {
    const placed = placeContour(contour, toIndex, where, findings);
    if (!placed) continue;
    const k = Math.round(placed.plane);
    if (k < 0 || k >= grid.size[2]) {
      findings.add(
        'outside-slices',
        'warning',
        'Contours lie outside the slices of the series and were left out.',
        where,
      );
      continue;
    }
    if (Math.abs(placed.plane - k) * sliceMm > OFF_PLANE_MM)
      findings.add('off-plane', 'note', 'Contours lie between slice planes and were put on the nearest slice.', where);
    const list = bySlice.get(k);
    if (list) list.push(placed);
    else bySlice.set(k, [placed]);
  }
  return [...bySlice]
    .sort(([a], [b]) => a - b)
    .map(([k, placed]) => ({ k, rings: nearestPlane(k, placed, where, findings) }));
}

function placeContour(
  { points, geometricType }: RtContour,
  toIndex: Affine,
  where: string,
  findings: RtFindings,
): PlacedRing | undefined {
  if (!CLOSED.includes(geometricType)) {
    findings.add('not-closed', 'note', `Contours of type ${geometricType} enclose nothing and were skipped.`, where);
    return undefined;
  }
  const count = points.length / COORDINATES;
  if (count < SMALLEST_POLYGON) {
    findings.add('degenerate', 'note', 'Closed contours of fewer than three points enclose nothing.', where);
    return undefined;
  }
  const m = toIndex;
  const ring = new Float64Array(count * 2);
  let low = Infinity;
  let high = -Infinity;
  let farthest = 0;
  for (let n = 0; n < count; n++) {
    const x = points[n * COORDINATES];
    const y = points[n * COORDINATES + 1];
    const z = points[n * COORDINATES + 2];
    const i = m[0] * x + m[1] * y + m[2] * z + m[3];
    const j = m[4] * x + m[5] * y + m[6] * z + m[7];
    ring[2 * n] = i;
    ring[2 * n + 1] = j;
    farthest = Math.max(farthest, Math.abs(i), Math.abs(j));
    const k = m[8] * x + m[9] * y + m[10] * z + m[11];
    if (k < low) low = k;
    if (k > high) high = k;
  }
  // Written so that what is not a number fails too.
  if (!(farthest <= FARTHEST_PIXEL)) {
    findings.add('too-far', 'warning', 'Contours with points far outside of any scanner were left out.', where);
    return undefined;
  }
  if (!(high - low <= 2 * PARALLEL_TOLERANCE_SLICES)) {
    findings.add('not-parallel', 'refusal', 'Contours are not parallel to the slices of the series; left out.', where);
    return undefined;
  }
  return { ring, plane: (low + high) / 2 };
}

/** Contours drawn on a finer stack than the grid: only the plane closest to the slice says what is in the slice. */
function nearestPlane(k: number, placed: readonly PlacedRing[], where: string, findings: RtFindings): readonly Ring[] {
  let nearest = Infinity;
  for (const { plane } of placed) if (Math.abs(plane - k) < Math.abs(nearest - k)) nearest = plane;
  const chosen = placed.filter(({ plane }) => Math.abs(plane - nearest) <= SAME_PLANE_SLICES);
  if (chosen.length < placed.length)
    findings.add(
      'several-planes',
      'warning',
      'Contours of several planes fall into one slice; the plane nearest to the slice was taken.',
      where,
    );
  return chosen.map(({ ring }) => ring);
}
