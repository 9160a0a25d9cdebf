/**
 * RTSTRUCT to masks on the grid of its CT: one .nii.gz file a structure, as the peers write them. Arguments: CT folder,
 * RTSTRUCT, output folder.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDicom, readRtstruct, rtstructToSegmentation } from '@isocenter/dicom';
import { safeFileName, writeNifti } from '@isocenter/formats';
import { maskOf, type Segmentation, structureVoxels } from '@isocenter/volume';
import { measured } from './measured.js';
import { referenceOf } from './series.js';

const [folder, file, out] = process.argv.slice(2);

await measured<Segmentation>(
  async () => {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    const reference = await referenceOf(folder);
    const { segmentation } = rtstructToSegmentation(readRtstruct(parseDicom(readFileSync(file))), reference);
    const taken = new Set<string>();
    const buffer = new Uint8Array(segmentation.layers[0].data.length);
    for (const structure of segmentation.structures)
      writeFileSync(
        join(out, `${safeFileName(structure.name, taken)}.nii.gz`),
        await writeNifti(maskOf(segmentation, structure, buffer)),
      );
    return segmentation;
  },
  {
    check: (segmentation) => ({
      structures: segmentation.structures.length,
      voxels: structureVoxels(segmentation).reduce((sum, n) => sum + n, 0),
    }),
  },
);
