/** Between a Segmentation (structures sharing label maps) and single binary masks. */
import { GeometryError } from './geometry.js';
import type { Segmentation, SegmentedStructure, Structure } from './segmentation.js';
import { type Grid, type LabelMap, type Mask, makeVolume, voxelCount } from './volume.js';
import { onesOf, repeatByte, wordsOf } from './words.js';

/** Labels that one Uint8 layer can hold. */
const LABELS_PER_LAYER = 255;
/** Four bytes of 1. */
const ALL_ONES = repeatByte(1);

/** The voxels of one structure as a Mask on the segmentation's grid; a new array, or `out` filled. */
export function maskOf(segmentation: Segmentation, structure: SegmentedStructure, out?: Uint8Array): Mask {
  const { data } = segmentation.layers[structure.layer];
  const { label } = structure;
  const { size, affine } = segmentation.grid;
  const mask = out ?? new Uint8Array(data.length);
  if (mask.length !== data.length) throw new GeometryError('size-mismatch', 'The mask buffer does not fit the grid');
  const words = data instanceof Uint8Array && label <= LABELS_PER_LAYER ? wordsOf(data) : undefined;
  const target = wordsOf(mask);
  if (words && target) {
    const pattern = repeatByte(label);
    const background = label === 0 ? ALL_ONES : 0;
    // Most words are background and need no arithmetic.
    for (let w = 0; w < words.length; w++)
      target[w] = words[w] === 0 ? background : onesOf(words[w] ^ pattern) ^ ALL_ONES;
  } else for (let n = 0; n < data.length; n++) mask[n] = data[n] === label ? 1 : 0;
  return makeVolume(mask, size, affine);
}

/** Voxels of each structure, in the order of `segmentation.structures`; one pass over each layer. */
export function structureVoxels(segmentation: Segmentation): number[] {
  const counts = segmentation.layers.map(({ data }) => {
    const count = new Float64Array(data instanceof Uint8Array ? 256 : 65536);
    countLabels(data, count);
    return count;
  });
  return segmentation.structures.map(({ layer, label }) => counts[layer][label]);
}

/** Adds to `count` how often each label but 0 occurs. Bytes are looked at four at a time: neighbours mostly have one label. */
function countLabels(data: LabelMap['data'], count: Float64Array): void {
  const aligned = data instanceof Uint8Array && data.byteOffset % 4 === 0;
  const words = aligned ? new Uint32Array(data.buffer, data.byteOffset, data.length >> 2) : new Uint32Array(0);
  for (let w = 0; w < words.length; w++) {
    const word = words[w];
    if (word === 0) continue;
    const label = word & 0xff;
    if (Math.imul(label, 0x01010101) >>> 0 === word) count[label] += 4;
    else for (let n = 4 * w; n < 4 * w + 4; n++) count[data[n]]++;
  }
  for (let n = 4 * words.length; n < data.length; n++) if (data[n] !== 0) count[data[n]]++;
}

/**
 * Collects masks into as few layers as their overlaps allow: a structure goes into the first layer where none of its
 * voxels is taken. The order of `add` is kept in `structures`.
 */
export class SegmentationBuilder {
  readonly #grid: Grid;
  readonly #layers: { data: Uint8Array; labels: number }[] = [];
  readonly #structures: SegmentedStructure[] = [];

  constructor(grid: Grid) {
    this.#grid = grid;
  }

  /** Adds a structure whose voxels are where `mask` is not 0. Throws GeometryError `size-mismatch`. */
  add(structure: Structure, mask: ArrayLike<number>): this {
    const voxels = voxelCount(this.#grid.size);
    if (mask.length !== voxels)
      throw new GeometryError('size-mismatch', `The mask of a structure has ${mask.length} voxels, its grid ${voxels}`);
    let layer = this.#layers.findIndex(({ data, labels }) => labels < LABELS_PER_LAYER && !overlaps(data, mask));
    if (layer < 0) layer = this.#layers.push({ data: new Uint8Array(voxels), labels: 0 }) - 1;
    const target = this.#layers[layer];
    const label = ++target.labels;
    for (let n = 0; n < voxels; n++) if (mask[n] !== 0) target.data[n] = label;
    this.#structures.push(Object.freeze({ ...structure, layer, label }));
    return this;
  }

  build(): Segmentation {
    const { size, affine } = this.#grid;
    // A segmentation always has voxels to look at, also when nothing was found.
    if (this.#layers.length === 0) this.#layers.push({ data: new Uint8Array(voxelCount(size)), labels: 0 });
    const layers: LabelMap[] = this.#layers.map(({ data }) => makeVolume(data, size, affine));
    return Object.freeze({ kind: 'segmentation', grid: { size, affine }, layers, structures: [...this.#structures] });
  }
}

function overlaps(data: Uint8Array, mask: ArrayLike<number>): boolean {
  for (let n = 0; n < data.length; n++) if (mask[n] !== 0 && data[n] !== 0) return true;
  return false;
}
