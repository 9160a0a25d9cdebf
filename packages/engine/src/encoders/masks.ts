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

/** Of inflated bytes: the default of 16 KB costs five times the time. */
const CHUNK = 1024 * 1024;
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

/** Most voxels are outside: blocks without the label are passed at the speed of memory. */
const BLOCK = 4096;
const NOTHING = new Uint8Array(BLOCK);

/** 1 where the layer has the label, 0 elsewhere. */
function maskOf({ data }: LabelMap, label: number): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let from = 0; from < data.length; from += BLOCK) {
    const block = data.subarray(from, from + BLOCK);
    if (!block.includes(label)) continue;
    for (let n = 0; n < block.length; n++) if (block[n] === label) mask[from + n] = 1;
  }
  return mask;
}

async function readBack({ name, bytes }: EncodedFile, voxels: number): Promise<Uint8Array> {
  const mask = await inflate(bytes, { maxOutputLength: voxels + 1, chunkSize: CHUNK });
  if (mask.length === voxels) return mask;
  throw new ProofError('cannot-read-back', `A mask file holds ${mask.length} voxels instead of ${voxels}`, {
    where: name,
  });
}

function compare(name: string, { data }: LabelMap, label: number, mask: Uint8Array): StructureProof {
  let [voxels, back, common] = [0, 0, 0];
  for (let from = 0; from < mask.length; from += BLOCK) {
    const labels = data.subarray(from, from + BLOCK);
    const read = mask.subarray(from, from + BLOCK);
    if (Buffer.compare(read, NOTHING.subarray(0, read.length)) === 0 && !labels.includes(label)) continue;
    for (let n = 0; n < read.length; n++) {
      const inside = labels[n] === label ? 1 : 0;
      voxels += inside;
      back += read[n] & 1;
      common += inside & read[n];
    }
  }
  return structureProof(name, voxels, back, common);
}
