/** Proof of one mask file per structure: each is read from its written bytes and compared with the structure it was made from. */
import { bufferSource } from '@isocenter/formats';
import { type Segmentation, sameGrid } from '@isocenter/volume';
import { readMaskImages } from '../structures/mask-images.js';
import { compareLayers } from './compare-layers.js';
import { FLOAT_AFFINE_MM, isExact, type Proof, ProofError, type StructureProof } from './proof.js';
import type { NamedBytes } from './prove-layers.js';

/** `files[n]` holds structure n. Throws ProofError `cannot-read-back` for a file that lies elsewhere; FormatError. */
export async function proveMasks(files: readonly NamedBytes[], segmentation: Segmentation): Promise<Proof> {
  const structures: StructureProof[] = [];
  for (const [n, { name, bytes }] of files.entries()) {
    const back = await readMaskImages([bufferSource(bytes, name)]);
    if (!sameGrid(back.grid, segmentation.grid, FLOAT_AFFINE_MM))
      throw new ProofError('cannot-read-back', 'A mask file does not lie where its structure lies', { where: name });
    structures.push(...compareLayers({ ...segmentation, structures: [segmentation.structures[n]] }, back));
  }
  return Object.freeze({
    kind: 'proof',
    object: 'masks',
    files: files.map(({ name }) => name),
    reader: 'each mask read from its written bytes',
    structures,
    exact: isExact(structures),
  });
}
