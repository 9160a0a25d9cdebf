/** Volumes and mean values of the structures as a DICOM measurement report (TID 1500). */
import { writeMeasurementReport } from '@isocenter/dicom';
import { type Encoder, referenceOf, stemOf } from './encoder.js';
import { structureTable } from './structure-table.js';

export const srEncoder: Encoder = Object.freeze<Encoder>({
  format: 'sr',
  needsReference: true,
  async encode(result, options) {
    const reference = referenceOf(result, 'sr');
    const { segmentation, image, units, provenance } = result;
    const rows = structureTable(segmentation, image, options.proofs);
    const measurements = segmentation.structures.map((structure, n) => ({
      structure,
      volumeMl: rows[n].ml,
      ...(units === 'HU' && rows[n].mean !== undefined ? { meanHU: rows[n].mean } : {}),
    }));
    const { now, uid } = options;
    const bytes = writeMeasurementReport({ measurements }, reference, { provenance, now, uid });
    return [{ name: `${stemOf(options)}.sr.dcm`, bytes }];
  },
});
