/** Label map of structures to a DICOM SEG file (binary) and back to a label map. Arguments: CT folder, labels.npy, output file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { newUID, parseDicom, readSeg, segToSegmentation, writeSeg } from '@isocenter/dicom';
import { type Segmentation, structureVoxels } from '@isocenter/volume';
import { measured } from './measured.js';
import { provenance, referenceOf, segmentationOf } from './series.js';

const [folder, labels, out] = process.argv.slice(2);

await measured<Segmentation>(
  async () => {
    const reference = await referenceOf(folder);
    const segmentation = segmentationOf(labels, reference.grid);
    writeFileSync(out, writeSeg(segmentation, reference, { provenance, type: 'binary', now: new Date(), uid: newUID }));
    return segToSegmentation(await readSeg(parseDicom(readFileSync(out))), reference);
  },
  {
    check: (back) => ({
      structures: back.structures.length,
      voxels: structureVoxels(back).reduce((sum, n) => sum + n, 0),
    }),
  },
);
