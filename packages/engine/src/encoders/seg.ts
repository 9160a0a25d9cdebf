/** DICOM Segmentation: one bit a voxel and structure, or one label map where nothing overlaps. */
import { writeSeg } from '@isocenter/dicom';
import { proveSeg } from '../proof/prove-layers.js';
import { type Encoder, referenceOf, stemOf } from './encoder.js';

export const segEncoder: Encoder = Object.freeze<Encoder>({
  format: 'seg',
  needsReference: true,
  async encode(result, options) {
    const { now, uid, segType = 'binary' } = options;
    const bytes = writeSeg(result.segmentation, referenceOf(result, 'seg'), {
      provenance: result.provenance,
      type: segType,
      now,
      uid,
    });
    return [{ name: `${stemOf(options)}.seg.dcm`, bytes }];
  },
  async prove([file], { segmentation }) {
    return proveSeg(file, segmentation);
  },
});
