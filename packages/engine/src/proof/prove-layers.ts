/** Proofs of the label map formats: SEG, NIfTI and NRRD are parsed from their bytes and compared on the segmentation's grid. */
import { parseDicom, readSeg, segToSegmentation } from '@isocenter/dicom';
import { readNifti, readNrrd } from '@isocenter/formats';
import { makeVolume, type Segmentation, sameGrid, type Volume } from '@isocenter/volume';
import { compareLayers } from './compare-layers.js';
import { FLOAT_AFFINE_MM, isExact, type Proof, ProofError } from './proof.js';

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function proof(
  object: string,
  files: readonly NamedBytes[],
  reader: string,
  from: Segmentation,
  back: Segmentation,
): Proof {
  if (back.structures.length !== from.structures.length)
    throw new ProofError(
      'cannot-read-back',
      `The ${object} holds ${back.structures.length} structures instead of ${from.structures.length}`,
      { where: files[0]?.name },
    );
  const structures = compareLayers(from, back);
  const names = files.map(({ name }) => name);
  return Object.freeze({ kind: 'proof', object, files: names, reader, structures, exact: isExact(structures) });
}

/** Segment n is structure n. Throws DicomError, ProofError `cannot-read-back`. */
export async function proveSeg(file: NamedBytes, segmentation: Segmentation): Promise<Proof> {
  const seg = await readSeg(parseDicom(file.bytes));
  const back = segToSegmentation(seg, segmentation.grid);
  return proof('SEG', [file], 'parsed from the written bytes, frames placed by their positions', segmentation, back);
}

/** One file a layer, in the order of the layers, with the labels of the segmentation. */
export async function proveNifti(files: readonly NamedBytes[], segmentation: Segmentation): Promise<Proof> {
  const volumes = await Promise.all(files.map(async ({ bytes }) => (await readNifti(bytes)).channels[0]));
  const back = fromVolumes(volumes, segmentation, 'NIfTI', files);
  return proof('NIfTI', files, 'read from the written bytes, RAS turned back to LPS', segmentation, back);
}

/** Slicer's .seg.nrrd: layers as the channels of one file, labels and layers as the segment fields say. */
export async function proveNrrd(file: NamedBytes, segmentation: Segmentation): Promise<Proof> {
  const image = await readNrrd(file.bytes);
  const back = fromVolumes(image.channels, segmentation, 'NRRD', [file]);
  const field = (n: number, name: string) => Number(image.keyValues.get(`Segment${n}_${name}`));
  const structures = segmentation.structures.map((structure, n) => ({
    ...structure,
    layer: field(n, 'Layer'),
    label: field(n, 'LabelValue'),
  }));
  if (structures.some(({ layer, label }) => !(layer in back.layers) || !(label > 0)))
    throw new ProofError('cannot-read-back', 'The segment fields of the NRRD are not those of the segmentation', {
      where: file.name,
    });
  return proof('NRRD', [file], 'read from the written bytes, segments by their layer and label value', segmentation, {
    ...back,
    structures,
  });
}

function fromVolumes(
  volumes: readonly Volume[],
  { grid, structures, layers }: Segmentation,
  object: string,
  files: readonly NamedBytes[],
): Segmentation {
  if (volumes.length !== layers.length || volumes.some((volume) => !sameGrid(volume, grid, FLOAT_AFFINE_MM)))
    throw new ProofError('cannot-read-back', `The ${object} does not lie on the grid of the segmentation`, {
      where: files.map(({ name }) => name).join(', '),
    });
  const back = volumes.map(({ data }) => {
    const labels = data instanceof Uint8Array || data instanceof Uint16Array ? data : Uint16Array.from(data);
    return makeVolume(labels, grid.size, grid.affine);
  });
  return { kind: 'segmentation', grid, layers: back, structures };
}
