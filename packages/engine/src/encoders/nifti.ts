/** NIfTI label maps: one file, or one for each layer where structures overlap; a table says which label is what. */
import { writeNifti } from '@isocenter/formats';
import { proveNifti } from '../proof/prove-layers.js';
import { type Encoder, stemOf } from './encoder.js';

export const niftiEncoder: Encoder = Object.freeze<Encoder>({
  format: 'nifti',
  needsReference: false,
  async encode({ segmentation, provenance }, options) {
    const { layers, structures } = segmentation;
    const stem = stemOf(options);
    const fileOf = (layer: number) => (layers.length === 1 ? `${stem}.nii.gz` : `${stem}-layer${layer + 1}.nii.gz`);
    const description = `${provenance.modelName}:${provenance.modelVersion}`;
    const files = [];
    for (const [layer, map] of layers.entries()) {
      options.signal?.throwIfAborted();
      files.push({ name: fileOf(layer), bytes: await writeNifti(map, { description }) });
    }
    const labels = structures.map(({ name, label, layer, colour }) => ({ file: fileOf(layer), label, name, colour }));
    const table = Buffer.from(`${JSON.stringify({ labels }, null, 2)}\n`);
    return [...files, { name: `${stem}.labels.json`, bytes: table }];
  },
  async prove(files, { segmentation }) {
    return proveNifti(files.slice(0, segmentation.layers.length), segmentation);
  },
});
