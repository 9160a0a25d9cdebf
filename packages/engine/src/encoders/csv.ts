/** The table of volumes: one line a structure, RFC 4180, dot as decimal sign. */
import { writeCsv } from '@isocenter/formats';
import { type Encoder, stemOf } from './encoder.js';
import { structureTable } from './structure-table.js';

export const csvEncoder: Encoder = Object.freeze<Encoder>({
  format: 'csv',
  needsReference: false,
  async encode({ segmentation, image, units }, options) {
    const rows = structureTable(segmentation, image, options.proofs);
    const heading = [
      'structure',
      'label',
      'layer',
      'voxels',
      'volume_ml',
      'contours',
      `mean_${units ?? 'value'}`,
      'proof',
    ];
    const lines = rows.map((row) => [
      row.name,
      row.label,
      row.layer,
      row.voxels,
      Number(row.ml.toFixed(3)),
      row.contours,
      row.mean === undefined ? undefined : Number(row.mean.toFixed(2)),
      row.proof,
    ]);
    return [{ name: `${stemOf(options)}.volumes.csv`, bytes: Buffer.from(writeCsv([heading, ...lines])) }];
  },
});
