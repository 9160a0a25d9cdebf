/**
 * Plain masks for whoever speaks a protocol of raw voxels: one gzip file of bytes per structure, and one table.
 * `<stem>.mask-0001.u8.gz` is the first structure, 0002 the second, in the order of the segmentation; each is one gzip
 * member of size[0]·size[1]·size[2] bytes, i fastest, then j, then k, 1 inside and 0 outside. `<stem>.masks.json` says
 * `{ kind: 'masks', size, affine, slices, structures: [{ file, name, label, layer, colour }] }` (affine: index to LPS mm, by
 * rows; slices, of DICOM input only: which image slice k is, `{ SOPClassUID, SOPInstanceUID, frameNumber? }`).
 */
import { createGunzip } from 'node:zlib';
import { gzipParts } from '@isocenter/formats';
import type { LabelMap } from '@isocenter/volume';
import { isExact, type Proof, ProofError, type StructureProof, structureProof } from '../proof/proof.js';
import { type EncodedFile, type Encoder, stemOf } from './encoder.js';

/** Of inflated bytes: the default of 16 KB costs five times the time. */
const CHUNK = 1024 * 1024;

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
    const { layers, structures } = segmentation;
    const rows: StructureProof[] = [];
    for (const [n, { name, label, layer }] of structures.entries())
      rows.push(await proveMask(name, layers[layer], label, files[n]));
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

/** Most voxels are outside of everything: blocks of nothing are passed at the speed of memory. */
const BLOCK = 4096;
const NOTHING = Buffer.alloc(2 * BLOCK);

const asBytes = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
const isEmpty = (bytes: Buffer, from: number, to: number) => NOTHING.compare(bytes, from, to, 0, to - from) === 0;

/** 1 where the layer has the label, 0 elsewhere. */
function maskOf({ data }: LabelMap, label: number): Uint8Array {
  const mask = new Uint8Array(data.length);
  const bytes = asBytes(data);
  const width = data.BYTES_PER_ELEMENT;
  for (let from = 0; from < data.length; from += BLOCK) {
    const to = Math.min(from + BLOCK, data.length);
    if (isEmpty(bytes, from * width, to * width)) continue;
    for (let n = from; n < to; n++) if (data[n] === label) mask[n] = 1;
  }
  return mask;
}

/** The mask is compared while it is inflated, and never held whole. */
async function proveMask(name: string, { data }: LabelMap, label: number, file: EncodedFile): Promise<StructureProof> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  gunzip.end(file.bytes);
  const count: Count = { voxels: 0, back: 0, common: 0 };
  let at = 0;
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    if (at + chunk.length <= data.length) compare(data.subarray(at, at + chunk.length), label, chunk, count);
    at += chunk.length;
    if (at > data.length) break;
  }
  if (at === data.length) return structureProof(name, count.voxels, count.back, count.common);
  throw new ProofError(
    'cannot-read-back',
    `A mask file holds ${at > data.length ? 'more' : at} voxels instead of ${data.length}`,
    { where: file.name },
  );
}

interface Count {
  voxels: number;
  back: number;
  common: number;
}

/** Adds what one piece of labels and the same piece of the mask have. */
function compare(labels: LabelMap['data'], label: number, mask: Buffer, count: Count): void {
  const bytes = asBytes(labels);
  const width = labels.BYTES_PER_ELEMENT;
  for (let from = 0; from < mask.length; from += BLOCK) {
    const to = Math.min(from + BLOCK, mask.length);
    if (isEmpty(mask, from, to) && isEmpty(bytes, from * width, to * width)) continue;
    let [voxels, back, common] = [0, 0, 0];
    for (let n = from; n < to; n++) {
      const inside = labels[n] === label ? 1 : 0;
      voxels += inside;
      back += mask[n] === 0 ? 0 : 1;
      // Only a 1 is what was written; another number counts as missing and as one too many.
      common += mask[n] === 1 ? inside : 0;
    }
    count.voxels += voxels;
    count.back += back;
    count.common += common;
  }
}
