/** RT Structure Set: contours along voxel edges in the slices of the images. */
import { writeRtstruct } from '@isocenter/dicom';
import { proveRtstruct } from '../proof/prove-rtstruct.js';
import { DEFAULT_HOLES, type Encoder, referenceOf, stemOf } from './encoder.js';

export const rtstructEncoder: Encoder = Object.freeze<Encoder>({
  format: 'rtstruct',
  needsReference: true,
  async encode(result, options) {
    const { now, uid, profile, interpreter, label, modelId, signal, inset, holes = DEFAULT_HOLES } = options;
    const bytes = writeRtstruct(result.segmentation, referenceOf(result, 'rtstruct'), {
      provenance: result.provenance,
      holes,
      inset,
      now,
      uid,
      profile,
      interpreter,
      label,
      modelId,
      signal,
    });
    return [{ name: `${stemOf(options)}.rtstruct.dcm`, bytes }];
  },
  async prove([file], { segmentation }) {
    return proveRtstruct(file.bytes, segmentation, { file: file.name });
  },
});
