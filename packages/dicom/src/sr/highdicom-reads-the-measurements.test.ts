/** Our report is a TID 1500 measurement report to highdicom: one volumetric group per structure, with numbers and units. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { affineFrom } from '@isocenter/volume';
import { expect, it } from 'vitest';
import {
  countedUIDs,
  orientations,
  paperReference,
  testNow,
  testProvenance,
  withFolder,
} from '../../../../tools/test/dicom-objects.js';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { parseDicom } from '../dataset/parse.js';
import { writeMeasurementReport } from './write.js';

const SCRIPT = `
import json, sys
import highdicom
groups = highdicom.sr.srread(sys.argv[1]).content.get_volumetric_roi_measurement_groups()
print(json.dumps([[g.tracking_identifier, g.finding_type.value, [[m.name.meaning, m.value, m.unit.value] for m in g.get_measurements()], [[s.value.value, s.laterality and s.laterality.value] for s in g.finding_sites]] for g in groups]))
`;
const reference = paperReference([4, 4, 2], affineFrom(orientations.axial, [1, 1, 1], [0, 0, 0]));
const options = { provenance: testProvenance, now: testNow, uid: countedUIDs() };
const segmentation = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4',
  SOPInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.4',
};
const lung = {
  name: 'Lung',
  colour: [1, 2, 3],
  interpretedType: 'ORGAN',
  code: { value: '39607008', scheme: 'SCT', meaning: 'Lung' },
  modifiers: [{ value: '7771000', scheme: 'SCT', meaning: 'Left' }],
} as const;
const plain = { name: 'Lung', colour: [1, 2, 3], interpretedType: '' } as const;

describeWithPython(['highdicom'], 'highdicom', (python) => {
  it('finds volume, mean and side of each structure', () => {
    const measurements = [
      { structure: lung, volumeMl: 2277.1234567, meanHU: -763.25, segmentNumber: 1 },
      { structure: plain, volumeMl: 0, segmentNumber: 2 },
    ];
    const found = withFolder((folder) => {
      const file = join(folder, 'sr.dcm');
      writeFileSync(file, writeMeasurementReport({ measurements, segmentation }, reference, options));
      const { stdout, stderr } = spawnSync(python, ['-c', SCRIPT, file], { encoding: 'utf8' });
      if (!stdout) throw new Error(stderr.slice(-2000));
      return JSON.parse(stdout);
    });
    expect(found).toEqual([
      [
        'Lung',
        '39607008',
        [
          ['Volume', 2277.12, 'ml'],
          ['Attenuation Coefficient', -763.25, "[hnsf'U]"],
        ],
        [['39607008', '7771000']],
      ],
      ['Lung (2)', '123037004', [['Volume', 0, 'ml']], []],
    ]);
  });
});

it('what a classifier said stands in the report, most probable first', () => {
  const classification = {
    title: 'Nodule',
    classes: [
      { name: 'benign', probability: 0.25 },
      { name: 'malignant', probability: 0.75 },
    ],
  };
  const { dataset } = parseDicom(writeMeasurementReport({ measurements: [], classification }, reference, options));
  const container = dataset.items('ContentSequence').at(-1);
  expect(container?.items('ContentSequence').map((item) => item.string('TextValue'))).toEqual([
    'Nodule: malignant 75 %',
    'Nodule: benign 25 %',
  ]);
});

it('refuses numbers that are none', () => {
  const measurements = [{ structure: lung, volumeMl: Number.NaN }];
  expect(() => writeMeasurementReport({ measurements }, reference, options)).toThrowError(
    expect.objectContaining({ kind: 'invalid-value' }),
  );
});
