/**
 * Reads an RTSTRUCT's bytes as a planning system would (parse, patient coordinates to slices, fill) and compares plane by
 * plane. Nothing of the writer is used: not its rings, not its rounding. No mask of a whole structure is ever made.
 */
import { parseDicom, type RtRoi, readRtstruct } from '@isocenter/dicom';
import {
  type Affine,
  type FillRule,
  fillPlane,
  type Grid,
  invertAffine,
  type Ring,
  type Segmentation,
  type SegmentedStructure,
  structureVoxels,
} from '@isocenter/volume';
import { isExact, type OtherReader, type Proof, ProofError, type StructureProof, structureProof } from './proof.js';

/** Readers of the world, by how they join the rings of a slice (packages/volume/src/contour/rings.ts has the table). */
const OTHER_READERS: readonly { readonly rule: FillRule; readonly reader: string }[] = [
  { rule: 'winding', reader: 'fills each contour by itself (non-zero winding) and joins them' },
  { rule: 'union', reader: 'fills each contour by itself (even-odd) and joins them' },
];

export interface ProveRtstructOptions {
  /** File name for the report. */
  readonly file?: string;
  /** Also say how other kinds of readers fare; default true. */
  readonly otherReaders?: boolean;
}

/**
 * Compares by ROI order: ROI n is structure n. Throws DicomError for bytes that cannot be parsed, ProofError
 * `cannot-read-back` when the ROIs are not those of the segmentation.
 */
export function proveRtstruct(
  bytes: Uint8Array,
  segmentation: Segmentation,
  options: ProveRtstructOptions = {},
): Proof {
  const { rois } = readRtstruct(parseDicom(bytes));
  const { structures, grid } = segmentation;
  if (rois.length !== structures.length)
    throw new ProofError(
      'cannot-read-back',
      `The RTSTRUCT holds ${rois.length} ROIs for ${structures.length} structures`,
      { where: options.file },
    );
  const voxels = structureVoxels(segmentation);
  const wanted = options.otherReaders === false ? [] : OTHER_READERS;
  const byRule = structures.map((structure, n) =>
    compareRings(
      ringsBySlice(rois[n], grid),
      segmentation,
      structure,
      wanted.map(({ rule }) => rule),
    ),
  );
  const rows = (reader: number) =>
    structures.map(({ name }, n) => {
      const { readBack, common } = byRule[n][reader];
      return structureProof(name, voxels[n], readBack, common, rois[n].contours.length);
    });
  const main = rows(0);
  return Object.freeze({
    kind: 'proof',
    object: 'RTSTRUCT',
    files: [options.file ?? 'RTSTRUCT'],
    reader: 'parsed from the written bytes, contours of a slice filled together by the even-odd rule at pixel centres',
    structures: main,
    ...(wanted.length === 0 ? {} : { otherReaders: wanted.map(({ reader }, n) => other(reader, rows(n + 1))) }),
    exact: isExact(main),
  });
}

function other(reader: string, structures: readonly StructureProof[]): OtherReader {
  const differing = structures
    .filter(({ missing, extra }) => missing > 0 || extra > 0)
    .map(({ name, missing, extra }) => ({ name, missing, extra }));
  return { reader, exact: differing.length === 0, differing };
}

function ringsBySlice(roi: RtRoi, grid: Grid): Map<number, Ring[]> {
  const toIndex: Affine = invertAffine(grid.affine);
  const slices = new Map<number, Ring[]>();
  for (const { points } of roi.contours) {
    const ring = new Float64Array((points.length / 3) * 2);
    let depth = 0;
    for (let n = 0, at = 0; n < points.length; n += 3, at += 2) {
      const [x, y, z] = [points[n], points[n + 1], points[n + 2]];
      ring[at] = toIndex[0] * x + toIndex[1] * y + toIndex[2] * z + toIndex[3];
      ring[at + 1] = toIndex[4] * x + toIndex[5] * y + toIndex[6] * z + toIndex[7];
      depth += toIndex[8] * x + toIndex[9] * y + toIndex[10] * z + toIndex[11];
    }
    const k = Math.round(depth / (points.length / 3));
    const rings = slices.get(k);
    if (rings) rings.push(ring);
    else slices.set(k, [ring]);
  }
  return slices;
}

interface Filled {
  readBack: number;
  common: number;
}

/** Voxels filled and voxels in common, for the even-odd rule and then for each of `others`. */
function compareRings(
  slices: ReadonlyMap<number, readonly Ring[]>,
  segmentation: Segmentation,
  { layer, label }: SegmentedStructure,
  others: readonly FillRule[],
): Filled[] {
  const [ni, nj, nk] = segmentation.grid.size;
  const { data } = segmentation.layers[layer];
  const plane = scratch(ni * nj);
  const totals = [...Array(others.length + 1)].map((): Filled => ({ readBack: 0, common: 0 }));
  for (const [k, rings] of slices) {
    const area = box(rings, ni, nj);
    const slice = k >= 0 && k < nk ? data.subarray(k * ni * nj, (k + 1) * ni * nj) : undefined;
    const fill = (rule: FillRule) => fillPlane({ data: plane, offset: 0, ni, nj }, rings, 1, rule).changed;
    const common = () => (slice === undefined ? 0 : countCommon(plane, slice, label, ni, area));
    const clear = () => {
      for (let j = area[2]; j < area[3]; j++) plane.fill(0, j * ni + area[0], j * ni + area[1]);
    };
    const main = { readBack: fill('even-odd'), common: common() };
    totals.forEach((total, n) => {
      let read: Filled = main;
      if (n > 0) {
        // What is inside an odd number of rings is inside one of them: the other rules can only add to what is there.
        const added = fill(others[n - 1]);
        if (added > 0) {
          read = { readBack: main.readBack + added, common: common() };
          clear();
          fill('even-odd');
        }
      }
      total.readBack += read.readBack;
      total.common += read.common;
    });
    clear();
  }
  return totals;
}

/** Pixels of the box that are filled (1) and have the label. No branches: three times as fast as with. */
function countCommon(
  plane: Uint8Array,
  slice: Uint8Array | Uint16Array,
  label: number,
  ni: number,
  [i0, i1, j0, j1]: readonly [number, number, number, number],
): number {
  let common = 0;
  for (let j = j0; j < j1; j++)
    for (let at = j * ni + i0, end = j * ni + i1; at < end; at++) common += plane[at] & (slice[at] === label ? 1 : 0);
  return common;
}

let shared = new Uint8Array(0);
/** One plane, all zero, reused between structures. */
function scratch(length: number): Uint8Array {
  if (shared.length < length) shared = new Uint8Array(length);
  return shared;
}

/** Pixels that the rings can touch: i0 ≤ i < i1, j0 ≤ j < j1. */
function box(rings: readonly Ring[], ni: number, nj: number): readonly [number, number, number, number] {
  let [i0, i1, j0, j1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const ring of rings)
    for (let p = 0; p < ring.length; p += 2) {
      i0 = Math.min(i0, ring[p]);
      i1 = Math.max(i1, ring[p]);
      j0 = Math.min(j0, ring[p + 1]);
      j1 = Math.max(j1, ring[p + 1]);
    }
  return [
    Math.max(0, Math.floor(i0)),
    Math.min(ni, Math.ceil(i1) + 1),
    Math.max(0, Math.floor(j0)),
    Math.min(nj, Math.ceil(j1) + 1),
  ];
}
