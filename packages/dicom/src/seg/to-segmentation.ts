/** Segmentation objects to our label maps: each segment into the first layer where nothing of it is taken. */
import {
  type Grid,
  type LabelMap,
  makeVolume,
  type Segmentation,
  type SegmentedStructure,
  type Volume,
  voxelCount,
} from '@isocenter/volume';
import { DicomError } from '../dataset/errors.js';
import type { ReferenceSeries } from '../series/reference.js';
import { bitsFrom, bitsMeet, type Labels, paintBits } from './bits.js';
import { onGrid, ownGrid, type PlacedFrames } from './grid.js';
import { unlisted } from './read.js';
import type { SegObject } from './seg-object.js';
import type { Segment } from './segments.js';

const MOST_LABELS_IN_BYTES = 255;
const LABEL_VALUES = 65536;
const DEFAULT_THRESHOLD = 0.5;

export interface SegReadOptions {
  /** A fractional segment's voxel is in from this fraction on; default 0.5. */
  readonly threshold?: number;
}

/**
 * The structures of a segmentation on its own grid, or on `on`, which its frames must then match by geometry. A structure's
 * label is its segment number. Throws DicomError 'geometry' for frames that have no place on the grid.
 */
export function segToSegmentation(
  seg: SegObject,
  on?: Grid | ReferenceSeries,
  options: SegReadOptions = {},
): Segmentation {
  const placed = place(seg, on);
  return seg.type === 'labelmap' ? fromLabelmap(seg, placed) : fromFrames(seg, placed, options);
}

/** Fractions 0..1 of one segment of a fractional object, or 0 and 1 of a binary one. */
export function segFractions(
  seg: SegObject,
  number: number,
  on?: Grid | ReferenceSeries,
): Volume<Float32Array<ArrayBuffer>> {
  const { grid, slices } = place(seg, on);
  const data = new Float32Array(voxelCount(grid.size));
  const perFrame = seg.rows * seg.columns;
  seg.frames.forEach(({ segment }, f) => {
    if (segment !== number) return;
    const from = f * perFrame;
    const to = slices[f] * perFrame;
    if (seg.packed) {
      const [bits, bit] = bitsFrom(seg.pixels as Uint8Array, from);
      for (let n = 0; n < perFrame; n++) data[to + n] = (bits[(bit + n) >> 3] >> ((bit + n) & 7)) & 1;
    } else for (let n = 0; n < perFrame; n++) data[to + n] = seg.pixels[from + n] / seg.maximumFraction;
  });
  return makeVolume(data, grid.size, grid.affine);
}

function place(seg: SegObject, on: Grid | ReferenceSeries | undefined): PlacedFrames {
  if (!on) return ownGrid(seg);
  return onGrid(seg, 'grid' in on ? on.grid : on);
}

function newLayer(grid: Grid, segments: readonly Segment[]): LabelMap {
  const count = voxelCount(grid.size);
  const wide = segments.some(({ number }) => number > MOST_LABELS_IN_BYTES);
  return makeVolume(wide ? new Uint16Array(count) : new Uint8Array(count), grid.size, grid.affine);
}

function structure(segment: Segment, layer: number): SegmentedStructure {
  const { number, name, colour, interpretedType, code, category, modifiers } = segment;
  const codes = { ...(code ? { code } : {}), ...(category ? { category } : {}), ...(modifiers ? { modifiers } : {}) };
  return Object.freeze({ name, colour, interpretedType, ...codes, layer, label: number });
}

function fromFrames(seg: SegObject, { grid, slices }: PlacedFrames, options: SegReadOptions): Segmentation {
  const perFrame = seg.rows * seg.columns;
  const framesOf = new Map<number, number[]>();
  seg.frames.forEach(({ segment = 0 }, f) => {
    const list = framesOf.get(segment);
    if (list) list.push(f);
    else framesOf.set(segment, [f]);
  });
  const threshold =
    seg.type === 'binary' ? 1 : Math.max(1, Math.ceil((options.threshold ?? DEFAULT_THRESHOLD) * seg.maximumFraction));
  const meets = (f: number, target: Labels): boolean => {
    const at = slices[f] * perFrame;
    if (seg.packed) return bitsMeet(...bitsFrom(seg.pixels as Uint8Array, f * perFrame), perFrame, target, at);
    for (let n = 0; n < perFrame; n++)
      if (seg.pixels[f * perFrame + n] >= threshold && target[at + n] !== 0) return true;
    return false;
  };
  const paint = (f: number, target: Labels, label: number): void => {
    const at = slices[f] * perFrame;
    if (seg.packed) paintBits(...bitsFrom(seg.pixels as Uint8Array, f * perFrame), perFrame, target, at, label);
    else for (let n = 0; n < perFrame; n++) if (seg.pixels[f * perFrame + n] >= threshold) target[at + n] = label;
  };
  const layers: LabelMap[] = [newLayer(grid, seg.segments)];
  const structures = seg.segments.map((segment) => {
    if (segment.number < 1 || segment.number >= LABEL_VALUES)
      throw new DicomError('inconsistent', 'Segment numbers must lie between 1 and 65535.', { where: 'SegmentNumber' });
    const frames = framesOf.get(segment.number) ?? [];
    let layer = layers.findIndex(({ data }) => !frames.some((f) => meets(f, data)));
    if (layer < 0) layer = layers.push(newLayer(grid, seg.segments)) - 1;
    for (const f of frames) paint(f, layers[layer].data, segment.number);
    return structure(segment, layer);
  });
  return Object.freeze({ kind: 'segmentation', grid, layers, structures });
}

function fromLabelmap(seg: SegObject, { grid, slices }: PlacedFrames): Segmentation {
  const perFrame = seg.rows * seg.columns;
  const known = new Set(seg.segments.map(({ number }) => number));
  const seen = new Uint8Array(LABEL_VALUES);
  for (let n = 0; n < seg.frames.length * perFrame; n++) seen[seg.pixels[n]] = 1;
  const segments = [...seg.segments];
  for (let value = 1; value < LABEL_VALUES; value++)
    if (seen[value] === 1 && !known.has(value)) segments.push(unlisted(value));
  const layer = newLayer(grid, segments);
  slices.forEach((k, f) => {
    layer.data.set(seg.pixels.subarray(f * perFrame, (f + 1) * perFrame), k * perFrame);
  });
  return Object.freeze({
    kind: 'segmentation',
    grid,
    layers: [layer],
    structures: segments.map((segment) => structure(segment, 0)),
  });
}
