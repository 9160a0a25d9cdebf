/** The child's part of `slicer-segmentation`: reads the layers back, writes .seg.nrrd by the engine's encoder, proves it. */
import { writeFile } from 'node:fs/promises';
import { encoders } from '@isocenter/engine';
import type { SlicerChore } from './chore.js';
import { ChoreError, readSegmentation } from './read-segmentation.js';

export async function writeSlicerSegmentation(chore: SlicerChore): Promise<{ bytes: number }> {
  const segmentation = await readSegmentation(chore);
  // Of the result the encoder looks at the segmentation only; image and provenance are not part of a .seg.nrrd.
  const result = {
    segmentation,
    image: segmentation.layers[0],
    provenance: {
      modelName: '',
      modelVersion: '',
      weightsHash: '',
      configurationHash: '',
      runUID: '',
      softwareVersion: '',
    },
  };
  const files = await encoders.nrrd.encode(result, { now: new Date(0), uid: () => '' });
  const proof = await encoders.nrrd.prove?.(files, result);
  if (!proof?.exact)
    throw new ChoreError('not-exact', 'The file did not read back as the stored label map', {
      next: 'This is a defect of ours; please report it.',
    });
  await writeFile(chore.outputPath, files[0].bytes, { mode: 0o600 });
  return { bytes: files[0].bytes.length };
}
