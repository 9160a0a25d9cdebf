/**
 * RTSTRUCT to masks on the grid of its CT: one .nii.gz file a structure, as the peers write them. Arguments: CT folder,
 * RTSTRUCT, output folder.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDicom, readRtstruct, rtstructToSegmentation } from '@isocenter/dicom';
import { mapConcurrently, safeFileName, writeNifti } from '@isocenter/formats';
import { maskOf, type Segmentation, type SegmentedStructure, structureVoxels } from '@isocenter/volume';
import { measured } from './measured.js';
import { referenceOf } from './series.js';

const [folder, file, out] = process.argv.slice(2);
/** One mask is compressed on zlib's threads while the next one is made. */
const IN_FLIGHT = 2;

await measured<Segmentation>(
  async () => {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    const reference = await referenceOf(folder);
    const { segmentation } = rtstructToSegmentation(readRtstruct(parseDicom(readFileSync(file))), reference);
    const taken = new Set<string>();
    const buffers = Array.from({ length: IN_FLIGHT }, () => new Uint8Array(segmentation.layers[0].data.length));
    const writeMask = async (structure: SegmentedStructure) => {
      const buffer = buffers.pop();
      const bytes = await writeNifti(maskOf(segmentation, structure, buffer));
      if (buffer) buffers.push(buffer);
      await writeFile(join(out, `${safeFileName(structure.name, taken)}.nii.gz`), bytes);
    };
    await mapConcurrently(segmentation.structures, writeMask, IN_FLIGHT);
    return segmentation;
  },
  {
    check: (segmentation) => ({
      structures: segmentation.structures.length,
      voxels: structureVoxels(segmentation).reduce((sum, n) => sum + n, 0),
    }),
  },
);
