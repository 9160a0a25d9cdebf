/** The same picture as a DICOM Secondary Capture, for systems that only take DICOM. */
import { writeSecondaryCapture } from '@isocenter/dicom';
import { type Encoder, referenceOf, stemOf } from './encoder.js';
import { overlayOf } from './png.js';

export const scEncoder: Encoder = Object.freeze<Encoder>({
  format: 'sc',
  needsReference: true,
  async encode(result, options) {
    const reference = referenceOf(result, 'sc');
    const { width, height, data } = overlayOf(result);
    const { now, uid } = options;
    const bytes = writeSecondaryCapture([{ width, height, channels: 3, data }], reference, {
      provenance: result.provenance,
      now,
      uid,
    });
    return [{ name: `${stemOf(options)}.sc.dcm`, bytes }];
  },
});
