/**
 * Structure set to label maps on the grid of a series: each ROI filled at pixel centres, rings of a slice together by the
 * even-odd rule unless told otherwise. Structures that overlap lie in different layers.
 */
import {
  distinctColour,
  type FillRule,
  fillPlane,
  type Grid,
  type LabelMap,
  type LabelPlane,
  makeVolume,
  planeOf,
  type Ring,
  type Segmentation,
  type SegmentedStructure,
  voxelCount,
  type Watch,
} from '@isocenter/volume';
import type { ReferenceSeries } from '../series/reference.js';
import { type RtFinding, RtFindings } from './findings.js';
import type { RtRoi, RtStructureSet } from './structure-set.js';
import { roiToSlices, type SliceRings } from './to-slices.js';

const MOST_LABELS_IN_BYTES = 255;

export interface FillOptions extends Watch {
  /** Default 'even-odd': rings of a slice together, so that rings in rings are holes. */
  readonly fill?: FillRule;
  /** Only ROIs for which this is true; default all. */
  readonly select?: (roi: RtRoi) => boolean;
}

export interface FilledStructureSet {
  readonly segmentation: Segmentation;
  readonly findings: readonly RtFinding[];
}

/**
 * Fills the ROIs of `set` on a grid or on the grid of a series (then references are checked too). Every selected ROI
 * becomes a structure, also an empty one, with label = its place + 1. Throws GeometryError on a singular affine and
 * ContourError on coordinates that are no numbers; aborts with the signal's reason.
 */
export function rtstructToSegmentation(
  set: RtStructureSet,
  on: Grid | ReferenceSeries,
  options: FillOptions = {},
): FilledStructureSet {
  const grid = 'grid' in on ? on.grid : on;
  const findings = new RtFindings();
  const rois = options.select ? set.rois.filter(options.select) : set.rois;
  if ('grid' in on) checkReferences(rois, on, findings);
  const layers: LabelMap[] = [];
  const wide = rois.length > MOST_LABELS_IN_BYTES;
  const newLayer = (): LabelMap => {
    const count = voxelCount(grid.size);
    return makeVolume(wide ? new Uint16Array(count) : new Uint8Array(count), grid.size, grid.affine);
  };
  const scratch = new Uint8Array(grid.size[0] * grid.size[1]);
  const structures = rois.map((roi, index): SegmentedStructure => {
    options.signal?.throwIfAborted();
    const slices = roiToSlices(roi, grid, findings);
    const label = index + 1;
    let layer = layers.findIndex((map) => !overlaps(map, slices, scratch, options.fill));
    if (layer < 0) {
      if (layers.length > 0)
        findings.add('overlap', 'note', 'Structures overlap; they lie in several layers.', 'structure set');
      layer = layers.push(newLayer()) - 1;
    }
    let voxels = 0;
    for (const { k, rings } of slices)
      voxels += fillPlane(planeOf(layers[layer], k), rings, label, options.fill).changed;
    if (voxels === 0) findings.add('empty-structure', 'note', 'The structure has no voxel on this grid.', nameOf(roi));
    options.progress?.(label, rois.length, 'fill contours');
    return structureOf(roi, index, layer, label);
  });
  if (layers.length === 0) layers.push(newLayer());
  return { segmentation: Object.freeze({ kind: 'segmentation', grid, layers, structures }), findings: findings.list() };
}

function nameOf(roi: RtRoi): string {
  return `ROI ${roi.number} '${roi.name}'`;
}

function structureOf(roi: RtRoi, index: number, layer: number, label: number): SegmentedStructure {
  return Object.freeze({
    name: roi.name,
    colour: roi.colour ?? distinctColour(index),
    interpretedType: roi.interpretedType,
    ...(roi.code ? { code: roi.code } : {}),
    ...(roi.category ? { category: roi.category } : {}),
    ...(roi.modifiers.length > 0 ? { modifiers: roi.modifiers } : {}),
    layer,
    label,
  });
}

/** Would these rings write over another structure of the layer? Fills a scratch plane and looks at the box it touched. */
function overlaps(map: LabelMap, slices: readonly SliceRings[], scratch: Uint8Array, rule?: FillRule): boolean {
  const [ni, nj] = map.size;
  const plane: LabelPlane = { data: scratch, offset: 0, ni, nj };
  for (const { k, rings } of slices) {
    const [firstRow, lastRow] = boundsOf(rings, 1, nj);
    const [first, last] = boundsOf(rings, 0, ni);
    if (firstRow >= lastRow || first >= last) continue;
    fillPlane(plane, rings, 1, rule);
    const offset = k * ni * nj;
    let hit = false;
    for (let row = firstRow; row < lastRow && !hit; row++)
      for (let p = row * ni + first; p < row * ni + last; p++)
        if (scratch[p] !== 0 && map.data[offset + p] !== 0) {
          hit = true;
          break;
        }
    scratch.fill(0, firstRow * ni, lastRow * ni);
    if (hit) return true;
  }
  return false;
}

/** First and one past the last pixel along i (`axis` 0) or j (1) that rings can touch, within 0 … n. */
function boundsOf(rings: readonly Ring[], axis: 0 | 1, n: number): readonly [number, number] {
  let first = n;
  let last = 0;
  for (const ring of rings)
    for (let p = axis; p < ring.length; p += 2) {
      const value = ring[p];
      if (value < first) first = value;
      if (value > last) last = value;
    }
  return [Math.max(0, Math.floor(first)), Math.min(n, Math.ceil(last) + 1)];
}

function checkReferences(rois: readonly RtRoi[], reference: ReferenceSeries, findings: RtFindings): void {
  const images = new Set(reference.slices.map((slice) => slice.SOPInstanceUID));
  for (const roi of rois) {
    if (
      roi.frameOfReferenceUID &&
      reference.FrameOfReferenceUID &&
      roi.frameOfReferenceUID !== reference.FrameOfReferenceUID
    )
      findings.add(
        'frame-of-reference-differs',
        'warning',
        'The ROI was drawn in another frame of reference than that of the series; its coordinates were taken as they are.',
        nameOf(roi),
      );
    for (const contour of roi.contours)
      if (contour.referencedSOPInstanceUIDs.some((uid) => !images.has(uid)))
        findings.add(
          'images-differ',
          'note',
          'Contours name images that are not of the series; matched by position.',
          nameOf(roi),
        );
  }
}

/** sRGB of a hue in degrees at full saturation. */
