/** Every object that we write is accepted by dciodvfy and dcmdump, in every orientation, with any patient's name. */
import { affineFrom, makeVolume, type Segmentation, type Structure } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import {
  countedUIDs,
  dciodvfyErrors,
  dcmdump,
  orientations,
  paperReference,
  testNow,
  testProvenance,
} from '../../../../tools/test/dicom-objects.js';
import { describeWithPrograms } from '../../../../tools/test/needs.js';
import type { Dataset } from '../dataset/dataset.js';
import { Element } from '../dataset/element.js';
import { parseDicom } from '../dataset/parse.js';
import { tagOf } from '../dataset/tag.js';
import { writeRtstruct } from '../rtstruct/write.js';
import { writeSecondaryCapture } from '../sc/write.js';
import { writeSeg } from '../seg/write.js';
import type { ReferenceSeries } from '../series/reference.js';
import { writeMeasurementReport } from '../sr/write.js';
import { readProvenance } from './provenance.js';

const SIZE = [24, 20, 6] as const;
const ENHANCED_CT = '1.2.840.10008.5.1.4.1.1.2.1';
const LEFT = { value: '7771000', scheme: 'SCT', meaning: 'Left' };
const LUNG = { value: '39607008', scheme: 'SCT', meaning: 'Lung' };
const STRUCTURES: readonly Structure[] = [
  { name: 'Lung', colour: [200, 120, 30], interpretedType: 'ORGAN', code: LUNG, modifiers: [LEFT] },
  { name: 'Lung', colour: [0, 255, 0], interpretedType: 'GTV' },
  { name: 'Größe ∆', colour: [1, 2, 3], interpretedType: '' },
];

/** A box with a hole through it, a small box, and a structure without voxels. */
function boxes(reference: ReferenceSeries): Segmentation {
  const [ni, nj] = SIZE;
  const data = new Uint8Array(ni * nj * SIZE[2]);
  for (let k = 1; k < 5; k++)
    for (let j = 4; j < 15; j++)
      for (let i = 3; i < 17; i++) if (!(i > 6 && i < 10 && j > 7 && j < 11)) data[i + ni * (j + nj * k)] = 1;
  for (let j = 16; j < 19; j++) for (let i = 19; i < 22; i++) data[i + ni * (j + nj * 2)] = 2;
  const layer = makeVolume(data, SIZE, reference.grid.affine);
  return {
    kind: 'segmentation',
    grid: reference.grid,
    layers: [layer],
    structures: STRUCTURES.map((structure, n) => ({ ...structure, layer: 0, label: n + 1 })),
  };
}

const named = (orientation: string, name?: string): ReferenceSeries =>
  paperReference(
    SIZE,
    affineFrom(orientations[orientation], [0.9765625, 0.8, 2.5], [-101.234567, 55.5, -700.125]),
    name,
  );

const options = (seed: string) => ({ provenance: testProvenance, now: testNow, uid: countedUIDs(seed) });

type Writer = (segmentation: Segmentation, reference: ReferenceSeries) => Uint8Array;
const rtstruct =
  (holes: 'even-odd' | 'keyhole' | 'separate', profile: 'strict' | 'innereye'): Writer =>
  (s, r) =>
    writeRtstruct(s, r, { ...options('rt'), holes, profile });
const fractions = (s: Segmentation) =>
  s.structures.map(({ label }) =>
    makeVolume(s.layers[0].data.map((v) => (v === label ? 200 : 0)) as Uint8Array, s.grid.size, s.grid.affine),
  );
const picture = (channels: 1 | 3) => ({ width: 7, height: 5, channels, data: new Uint8Array(35 * channels).fill(99) });
const measurements = (s: Segmentation) =>
  s.structures.map((structure, n) => ({
    structure,
    volumeMl: 12.3456789 * (n + 1),
    ...(n === 0 ? { meanHU: -812.25 } : {}),
    segmentNumber: n + 1,
  }));

const WRITERS: Readonly<Record<string, Writer>> = {
  'RTSTRUCT even-odd': rtstruct('even-odd', 'strict'),
  'RTSTRUCT keyhole': rtstruct('keyhole', 'strict'),
  'RTSTRUCT separate': rtstruct('separate', 'strict'),
  'RTSTRUCT as InnerEye': rtstruct('even-odd', 'innereye'),
  'SEG binary': (s, r) => writeSeg(s, r, { ...options('seg'), type: 'binary' }),
  'SEG binary with empty frames': (s, r) => writeSeg(s, r, { ...options('seg'), type: 'binary', emptyFrames: true }),
  'SEG fractional': (s, r) => writeSeg(s, r, { ...options('seg'), type: 'fractional', fractions: fractions(s) }),
  'SEG label map': (s, r) => writeSeg(s, r, { ...options('seg'), type: 'labelmap' }),
  'SR of measurements': (s, r) => writeMeasurementReport({ measurements: measurements(s) }, r, options('sr')),
  'SR on a segmentation, with a classification': (s, r) =>
    writeMeasurementReport(
      {
        measurements: measurements(s),
        classification: {
          title: 'Nodule',
          classes: [
            { name: 'benign', probability: 0.875 },
            { name: 'malignant', probability: 0.125 },
          ],
        },
        segmentation: {
          SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4',
          SOPInstanceUID: '1.2.3.4',
          SeriesInstanceUID: '1.2.3.5',
        },
      },
      r,
      options('sr'),
    ),
  'SC grey': (_, r) => writeSecondaryCapture([picture(1)], r, options('sc')),
  'SC colour': (_, r) => writeSecondaryCapture([picture(3)], r, options('sc')),
  'SC grey, frames': (_, r) => writeSecondaryCapture([picture(1), picture(1)], r, options('sc')),
  'SC colour, frames': (_, r) => writeSecondaryCapture([picture(3), picture(3)], r, options('sc')),
};

/**
 * What dciodvfy may say: it is older than the label map IOD, and InnerEye wrote an empty structure as a Contour Sequence
 * without items, which its clients expect (protocols 1.8) and the standard does not allow.
 */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'SEG label map': ['Error - Information Object Not found'],
  'RTSTRUCT as InnerEye': [
    'Error - Bad Sequence number of Items 0 (1-n Required by Module definition) Element=<ContourSequence> Module=<ROIContour>',
    'Error - Bad attribute Value Multiplicity Type 3 Optional Element=<ContourSequence> Module=<ROIContour>',
  ],
};

/** Every DS value of a data set, however deep. */
function decimals(dataset: Dataset): string[] {
  return [...dataset.elements.values()].flatMap((element) => {
    if (element.items) return element.items.flatMap(decimals);
    return element.vr === 'DS' ? element.latin1().split('\\') : [];
  });
}

describeWithPrograms(['dciodvfy', 'dcmdump'], 'other people’s programs', () => {
  describe.each(Object.keys(WRITERS))('%s', (kind) => {
    it.each(Object.keys(orientations))('is accepted by dciodvfy and dcmdump when %s', (orientation) => {
      const reference = named(orientation);
      const bytes = WRITERS[kind](boxes(reference), reference);
      expect(dciodvfyErrors(bytes)).toEqual(EXPECTED[kind] ?? []);
      expect(dcmdump(bytes)).toContain('SOPInstanceUID');
    });
    it('is accepted when the slices are frames of one multi-frame image', () => {
      const single = named('axial');
      const { SOPInstanceUID } = single.slices[0];
      const slices = single.slices.map((_, k) => ({ SOPClassUID: ENHANCED_CT, SOPInstanceUID, frameNumber: k + 1 }));
      const reference = { ...single, slices };
      expect(dciodvfyErrors(WRITERS[kind](boxes(reference), reference))).toEqual(EXPECTED[kind] ?? []);
    });
    it('is accepted when an anonymiser left the images without UIDs', () => {
      const whole = named('axial');
      const slices = whole.slices.map((slice) => ({ ...slice, SOPInstanceUID: '' }));
      const bare = { ...whole, slices, StudyInstanceUID: '', SeriesInstanceUID: '', FrameOfReferenceUID: '' };
      const errors = dciodvfyErrors(WRITERS[kind](boxes(bare), bare));
      expect(errors.filter((error) => /Empty|no value/.test(error))).toEqual([]);
    });
    it('is accepted when the images say that they are de-identified and not how, and their Study ID is too long', () => {
      const reference = named('axial');
      reference.header.set('PatientIdentityRemoved', 'YES');
      reference.header.set('DeidentificationMethod', undefined);
      reference.header.put(new Element(tagOf('StudyID'), 'SH', Buffer.from('SEVENTEEN-LETTERS '), 0, 18));
      expect(dciodvfyErrors(WRITERS[kind](boxes(reference), reference))).toEqual(EXPECTED[kind] ?? []);
    });
    it('is accepted with a patient name outside ASCII', () => {
      const reference = named('axial', 'Müller^Jürgen=山田^太郎');
      expect(dciodvfyErrors(WRITERS[kind](boxes(reference), reference))).toEqual(EXPECTED[kind] ?? []);
    });
  });
});

it('objects on images that lost their study, series and frame of reference lie in one made study', () => {
  const bare = { ...named('axial'), StudyInstanceUID: '', SeriesInstanceUID: '', FrameOfReferenceUID: '' };
  const made = Object.values(WRITERS).map((write) => parseDicom(write(boxes(bare), bare)).dataset);
  const studies = new Set(made.map((dataset) => dataset.string('StudyInstanceUID')));
  expect([...studies]).toEqual([expect.stringMatching(/^2\.25\.\d+$/)]);
  const frames = made.map((dataset) => dataset.string('FrameOfReferenceUID')).filter((uid) => uid !== undefined);
  expect(new Set(frames).size).toBe(1);
});

describe.each(Object.keys(WRITERS))('%s', (kind) => {
  const reference = named('oblique', 'Müller^Jürgen=山田^太郎');
  const bytes = WRITERS[kind](boxes(reference), reference);
  const file = parseDicom(bytes);

  it('is the same bytes when written twice', () => {
    expect(Buffer.compare(WRITERS[kind](boxes(reference), reference), bytes)).toBe(0);
  });
  it('needs no tolerance of our own strict reader: sorted, even, nothing after the last element', () => {
    expect(file.tolerances).toEqual([]);
  });
  it('keeps every decimal string within 16 characters', () => {
    for (const value of decimals(file.dataset)) expect(value.trim().length).toBeLessThanOrEqual(16);
  });
  it('keeps the letters of the patient’s name', () => {
    expect(file.dataset.string('PatientName')).toBe('Müller^Jürgen=山田^太郎');
  });
  it('says which model, weights, configuration and run made it', () => {
    expect(readProvenance(file.dataset)).toEqual(testProvenance);
  });
});
