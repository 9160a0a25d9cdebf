/**
 * Label map of structures to an RTSTRUCT file, with the proof of geometry: the file is read back, its contours filled,
 * every voxel compared. Arguments: CT folder, labels.npy, output file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { newUID, writeRtstruct } from '@isocenter/dicom';
import { type Proof, proveRtstruct } from '@isocenter/engine';
import { measured } from './measured.js';
import { provenance, referenceOf, segmentationOf } from './series.js';

const [folder, labels, out] = process.argv.slice(2);

await measured<Proof>(
  async () => {
    const reference = await referenceOf(folder);
    const segmentation = segmentationOf(labels, reference.grid);
    const bytes = writeRtstruct(segmentation, reference, {
      provenance,
      holes: 'keyhole',
      now: new Date(),
      uid: newUID,
    });
    writeFileSync(out, bytes);
    return proveRtstruct(readFileSync(out), segmentation);
  },
  {
    check(proof) {
      if (!proof.exact) throw new Error('the proof of geometry failed');
      return {
        structures: proof.structures.length,
        voxels: proof.structures.reduce((sum, { voxels }) => sum + voxels, 0),
      };
    },
  },
);
