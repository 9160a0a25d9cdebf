/** Compares two segmentations of one grid structure by structure, with one pass over each pair of layers. */
import type { LabelMap, Segmentation } from '@isocenter/volume';
import { type StructureProof, structureProof } from './proof.js';

interface JointCounts {
  /** counts[a * width + b]: voxels that have dense label a in the first and b in the second layer, but for voxels that are 0 in both. */
  readonly counts: Float64Array;
  readonly width: number;
}

/** Dense numbering 1, 2, … of the labels of a layer's structures; other labels count as 0. */
function denseLabels(segmentation: Segmentation, layer: number): { table: Uint16Array; size: number } {
  const table = new Uint16Array(segmentation.layers[layer].data instanceof Uint8Array ? 256 : 65536);
  let size = 1;
  for (const structure of segmentation.structures)
    if (structure.layer === layer && table[structure.label] === 0) table[structure.label] = size++;
  return { table, size };
}

function jointCounts(a: LabelMap, b: LabelMap, ta: Uint16Array, tb: Uint16Array, na: number, nb: number): JointCounts {
  const counts = new Float64Array(na * nb);
  const x = a.data;
  const y = b.data;
  // Most voxels are background in both, and nobody asks how many.
  for (let n = 0; n < x.length; n++) if ((x[n] | y[n]) !== 0) counts[ta[x[n]] * nb + tb[y[n]]]++;
  return { counts, width: nb };
}

/** `readBack.structures[n]` is compared with `segmentation.structures[n]`; both must have one number of structures and one size. */
export function compareLayers(segmentation: Segmentation, readBack: Segmentation): StructureProof[] {
  const first = segmentation.layers.map((_, layer) => denseLabels(segmentation, layer));
  const second = readBack.layers.map((_, layer) => denseLabels(readBack, layer));
  const cache = new Map<string, JointCounts>();
  return segmentation.structures.map((structure, n) => {
    const twin = readBack.structures[n];
    const a = first[structure.layer];
    const b = second[twin.layer];
    const key = `${structure.layer} ${twin.layer}`;
    let joint = cache.get(key);
    if (joint === undefined) {
      joint = jointCounts(
        segmentation.layers[structure.layer],
        readBack.layers[twin.layer],
        a.table,
        b.table,
        a.size,
        b.size,
      );
      cache.set(key, joint);
    }
    const row = a.table[structure.label];
    const column = b.table[twin.label];
    let voxels = 0;
    let back = 0;
    for (let c = 0; c < joint.width; c++) voxels += joint.counts[row * joint.width + c];
    for (let r = 0; r < a.size; r++) back += joint.counts[r * joint.width + column];
    return structureProof(structure.name, voxels, back, joint.counts[row * joint.width + column]);
  });
}
