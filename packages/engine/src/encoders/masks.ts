/**
 * Plain masks for whoever speaks a protocol of raw voxels: one gzip file of bytes per structure, and one table.
 * `<stem>.mask-0001.u8.gz` is the first structure, 0002 the second, in the order of the segmentation; each is one gzip
 * member of size[0]·size[1]·size[2] bytes, i fastest, then j, then k, 1 inside and 0 outside. `<stem>.masks.json` says
 * `{ kind: 'masks', size, affine, slices, structures: [{ file, name, label, layer, colour }] }` (affine: index to LPS mm, by
 * rows; slices, of DICOM input only: which image slice k is, `{ SOPClassUID, SOPInstanceUID, frameNumber? }`).
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { gzipParts } from '@isocenter/formats';
import { type LabelMap, voxelCount } from '@isocenter/volume';
import { isExact, type Proof, ProofError, type StructureProof, structureProof } from '../proof/proof.js';
import { type EncodedFile, type Encoder, stemOf } from './encoder.js';

const inflate = promisify(gunzip) as (bytes: Uint8Array, options: object) => Promise<Buffer>;

export const masksEncoder: Encoder = Object.freeze<Encoder>({
  format: 'masks',
  needsReference: false,
  async encode({ segmentation, reference }, options) {
    const { grid, layers, structures } = segmentation;
    const stem = stemOf(options);
    const files: EncodedFile[] = [];
    const table = [];
    for (const [n, { name, label, layer, colour }] of structures.entries()) {
      options.signal?.throwIfAborted();
      const file = `${stem}.mask-${String(n + 1).padStart(4, '0')}.u8.gz`;
      files.push({ name: file, bytes: await gzipParts([maskOf(layers[layer], label)]) });
      table.push({ file, name, label, layer, colour });
    }
    const text = JSON.stringify({
      kind: 'masks',
      size: grid.size,
      affine: [...grid.affine],
      slices: reference?.slices,
      structures: table,
    });
    return [...files, { name: `${stem}.masks.json`, bytes: Buffer.from(`${text}\n`) }];
  },
  async prove(files, { segmentation }) {
    const { grid, layers, structures } = segmentation;
    const rows: StructureProof[] = [];
    for (const [n, { name, label, layer }] of structures.entries())
      rows.push(compare(name, layers[layer], label, await readBack(files[n], voxelCount(grid.size))));
    return Object.freeze<Proof>({
      kind: 'proof',
      object: 'masks',
      files: files.slice(0, structures.length).map((file) => file.name),
      reader: 'each mask inflated from its written bytes',
      structures: rows,
      exact: isExact(rows),
    });
  },
});

/** 1 where the layer has the label, 0 elsewhere. */
function maskOf({ data }: LabelMap, label: number): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let n = 0; n < data.length; n++) mask[n] = data[n] === label ? 1 : 0;
  return mask;
}

async function readBack({ name, bytes }: EncodedFile, voxels: number): Promise<Uint8Array> {
  const mask = await inflate(bytes, { maxOutputLength: voxels + 1 });
  if (mask.length === voxels) return mask;
  throw new ProofError('cannot-read-back', `A mask file holds ${mask.length} voxels instead of ${voxels}`, {
    where: name,
  });
}

function compare(name: string, { data }: LabelMap, label: number, mask: Uint8Array): StructureProof {
  let voxels = 0;
  let back = 0;
  let common = 0;
  for (let n = 0; n < mask.length; n++) {
    const inside = data[n] === label;
    // Most voxels are outside of both, and nobody asks how many.
    if (!inside && mask[n] === 0) continue;
    if (inside) voxels++;
    if (mask[n] === 1) back++;
    if (inside && mask[n] === 1) common++;
  }
  return structureProof(name, voxels, back, common);
}
