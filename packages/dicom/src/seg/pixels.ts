/** Pixel data of the three kinds of segmentation: which frames there are and their bytes. Only frames with content, by default. */

import type { LabelMap, Segmentation, Volume } from '@isocenter/volume';
import { DicomError } from '../dataset/errors.js';
import { bitsFrom, type Labels, packEqual } from './bits.js';
import type { PlannedFrame } from './functional-groups.js';

export interface SegPixels {
  readonly frames: readonly PlannedFrame[];
  readonly bytes: Uint8Array;
  readonly bitsAllocated: 1 | 8 | 16;
}

const LABEL_VALUES = 65536;
const MOST_SEGMENTS_IN_BYTES = 255;
/** Typed arrays and DICOM lengths both end here. */
const MOST_BYTES = 2 ** 32 - 2;
/** Maximum Fractional Value that we write: one byte a pixel, 255 = certain. */
export const MAXIMUM_FRACTION = 255;

/** By label. */
type RowBounds = ReadonlyMap<number, readonly [first: number, last: number]>;

/** First and last row in which each label occurs in a slice. One look at each run of equal pixels. */
function labelRows({ data, size: [ni, nj] }: LabelMap, k: number): RowBounds {
  const found = new Map<number, [number, number]>();
  const aligned = data instanceof Uint8Array && data.byteOffset % 4 === 0;
  const words = aligned ? new Int32Array(data.buffer, data.byteOffset, data.length >> 2) : new Int32Array(0);
  let p = k * ni * nj;
  for (let row = 0; row < nj; row++) {
    const end = p + ni;
    while (p < end) {
      const label = data[p];
      if (label === 0) {
        p++;
        // Most of a slice is background; it is stepped over by words.
        if ((p & 3) === 0) while (p + 4 <= end && words[p >> 2] === 0) p += 4;
        continue;
      }
      const bounds = found.get(label);
      if (bounds) bounds[1] = row;
      else found.set(label, [row, row]);
      while (p < end && data[p] === label) p++;
    }
  }
  return found;
}

function evenBytes(bytes: number): Uint8Array {
  if (bytes > MOST_BYTES)
    throw new DicomError('limit', 'The segmentation has more pixel data than a DICOM file can hold.', {
      next: "Write it as type 'labelmap', or fewer structures into one file.",
    });
  return new Uint8Array(bytes + (bytes & 1));
}

/** One bit a pixel; frames by structure, then slice. A segmentation without a voxel keeps one empty frame. */
export function binaryPixels(segmentation: Segmentation, emptyFrames: boolean): SegPixels {
  const [ni, nj, nk] = segmentation.grid.size;
  const perFrame = ni * nj;
  const rows = segmentation.layers.map((layer) => Array.from({ length: nk }, (_, k) => labelRows(layer, k)));
  const frames: PlannedFrame[] = [];
  segmentation.structures.forEach(({ layer, label }, n) => {
    for (let k = 0; k < nk; k++) if (emptyFrames || rows[layer][k].has(label)) frames.push({ k, segment: n + 1 });
  });
  if (frames.length === 0) frames.push({ k: 0, segment: 1 });
  const bytes = evenBytes(Math.ceil((frames.length * perFrame) / 8));
  frames.forEach(({ k, segment = 1 }, f) => {
    const structure = segmentation.structures[segment - 1];
    const bounds = rows[structure.layer][k].get(structure.label);
    if (!bounds) return;
    // From a multiple of eight pixels on, so that whole bytes of the frame stay whole bytes.
    const from = (bounds[0] * ni) & ~7;
    const count = Math.min(perFrame, (bounds[1] + 1) * ni) - from;
    const [target, bit] = bitsFrom(bytes, f * perFrame + from);
    packEqual(segmentation.layers[structure.layer].data, k * perFrame + from, count, structure.label, target, bit);
  });
  return { frames, bytes, bitsAllocated: 1 };
}

/** One label a pixel, label = segment number. Throws DicomError 'unsupported-object' when structures may overlap. */
export function labelmapPixels(segmentation: Segmentation, emptyFrames: boolean): SegPixels {
  const { structures, layers, grid } = segmentation;
  const used = new Set(structures.map(({ layer }) => layer));
  if (used.size > 1)
    throw new DicomError('unsupported-object', 'Structures that overlap cannot be written as one label map.', {
      next: "Write the segmentation as type 'binary'.",
    });
  const [ni, nj, nk] = grid.size;
  const perFrame = ni * nj;
  const wide = structures.length > MOST_SEGMENTS_IN_BYTES;
  const toSegment = new Uint16Array(LABEL_VALUES);
  structures.forEach(({ label }, n) => {
    toSegment[label] = n + 1;
  });
  const source = layers[structures[0]?.layer ?? 0].data;
  // A table of 256 bytes stays in the nearest cache; one of 65536 words does not.
  const table = source instanceof Uint8Array ? toSegment.subarray(0, 256) : toSegment;
  const frames: PlannedFrame[] = [];
  for (let k = 0; k < nk; k++) {
    let content = emptyFrames;
    const end = (k + 1) * perFrame;
    for (let p = k * perFrame; p < end && !content; p++) content = source[p] !== 0 && toSegment[source[p]] !== 0;
    if (content) frames.push({ k });
  }
  if (frames.length === 0) frames.push({ k: 0 });
  const bytes = evenBytes(frames.length * perFrame * (wide ? 2 : 1));
  const target = wide ? new Uint16Array(bytes.buffer) : bytes;
  frames.forEach(({ k }, f) => {
    translate(source, k * perFrame, perFrame, table, target, f * perFrame);
  });
  return { frames, bytes, bitsAllocated: wide ? 16 : 8 };
}

function translate(source: Labels, from: number, count: number, table: Uint16Array, target: Labels, to: number): void {
  for (let n = 0; n < count; n++) target[to + n] = table[source[from + n]];
}

/** One byte a pixel, 0..255. `fractions[n]` of structure n: 0..1 in floats, or already 0..255 in bytes. */
export function fractionalPixels(
  segmentation: Segmentation,
  fractions: readonly Volume<Float32Array | Uint8Array>[],
  emptyFrames: boolean,
): SegPixels {
  const [ni, nj, nk] = segmentation.grid.size;
  const perFrame = ni * nj;
  const planned: PlannedFrame[] = [];
  const toByte = (value: number): number =>
    Math.min(Math.max(Math.round(value * MAXIMUM_FRACTION), 0), MAXIMUM_FRACTION);
  const quantised = (data: Float32Array | Uint8Array, p: number): number =>
    data instanceof Uint8Array ? data[p] : toByte(data[p]);
  fractions.forEach(({ data }, n) => {
    if (data.length !== perFrame * nk)
      throw new DicomError('inconsistent', `The fractions of structure ${n + 1} do not fill the grid.`);
    for (let k = 0; k < nk; k++) {
      let content = emptyFrames;
      const end = (k + 1) * perFrame;
      for (let p = k * perFrame; p < end && !content; p++) content = quantised(data, p) !== 0;
      if (content) planned.push({ k, segment: n + 1 });
    }
  });
  if (planned.length === 0) planned.push({ k: 0, segment: 1 });
  const bytes = evenBytes(planned.length * perFrame);
  planned.forEach(({ k, segment = 1 }, f) => {
    const { data } = fractions[segment - 1];
    const from = k * perFrame;
    const to = f * perFrame;
    for (let n = 0; n < perFrame; n++) bytes[to + n] = quantised(data, from + n);
  });
  return { frames: planned, bytes, bitsAllocated: 8 };
}
