/** The profile 'innereye' gives the values of protocols 1.8, one by one; 'strict' gives our own. */
import { affineFrom, makeVolume, type Segmentation } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import {
  countedUIDs,
  orientations,
  paperReference,
  testNow,
  testProvenance,
} from '../../../../tools/test/dicom-objects.js';
import { parseDicom } from '../dataset/parse.js';
import { writeRtstruct } from './write.js';

const reference = paperReference([10, 10, 3], affineFrom(orientations.axial, [1, 1, 2], [0.123456, 0, 0]));
const data = new Uint8Array(300);
data.fill(1, 120, 125);
const segmentation: Segmentation = {
  kind: 'segmentation',
  grid: reference.grid,
  layers: [makeVolume(data, [10, 10, 3], reference.grid.affine)],
  structures: [
    { name: 'SpinalCord', colour: [10, 20, 30], interpretedType: 'ORGAN', layer: 0, label: 1 },
    { name: 'Heart', colour: [1, 2, 3], interpretedType: 'AVOIDANCE', layer: 0, label: 2 },
  ],
};
const write = (profile: 'innereye' | 'strict') =>
  parseDicom(
    writeRtstruct(segmentation, reference, {
      holes: 'even-odd',
      profile,
      provenance: testProvenance,
      now: testNow,
      uid: countedUIDs(),
    }),
  );

describe('the profile innereye', () => {
  const { dataset, meta, transferSyntaxUID } = write('innereye');
  const rois = dataset.items('StructureSetROISequence');
  const contours = dataset.items('ROIContourSequence');
  const observations = dataset.items('RTROIObservationsSequence');

  it('is implicit VR little endian with the same instance in meta group and data set', () => {
    expect(transferSyntaxUID).toBe('1.2.840.10008.1.2');
    expect(meta.string('MediaStorageSOPClassUID')).toBe('1.2.840.10008.5.1.4.1.1.481.3');
    expect(meta.string('MediaStorageSOPInstanceUID')).toBe(dataset.string('SOPInstanceUID'));
  });
  it('names maker, model and label as InnerEye did', () => {
    expect(dataset.string('Modality')).toBe('RTSTRUCT');
    expect(dataset.string('Manufacturer')).toBe('Default_Manufacturer');
    expect(dataset.strings('SoftwareVersions')).toEqual(['ct-test:1.2.0']);
    expect(dataset.string('StructureSetLabel')).toBe('unknown');
  });
  it('has the empty attributes present', () => {
    for (const keyword of [
      'SeriesNumber',
      'SeriesDescription',
      'OperatorsName',
      'StructureSetName',
      'StructureSetDescription',
      'StudyDescription',
    ] as const)
      expect([keyword, dataset.has(keyword), dataset.string(keyword)]).toEqual([keyword, true, undefined]);
  });
  it('dates the series by the local clock and the structure set in UTC', () => {
    expect([dataset.string('SeriesDate'), dataset.string('SeriesTime')]).toEqual(['20260203', '040506']);
    const iso = testNow.toISOString();
    expect(dataset.string('StructureSetDate')).toBe(iso.slice(0, 10).replaceAll('-', ''));
    expect(dataset.string('StructureSetTime')).toBe(iso.slice(11, 19).replaceAll(':', ''));
  });
  it('refers to the study and every slice of the series', () => {
    const frame = dataset.items('ReferencedFrameOfReferenceSequence')[0];
    const study = frame.items('RTReferencedStudySequence')[0];
    const series = study.items('RTReferencedSeriesSequence')[0];
    expect(frame.string('FrameOfReferenceUID')).toBe(reference.FrameOfReferenceUID);
    expect(study.string('ReferencedSOPClassUID')).toBe('1.2.840.10008.3.1.2.3.2');
    expect(study.string('ReferencedSOPInstanceUID')).toBe(reference.StudyInstanceUID);
    expect(series.string('SeriesInstanceUID')).toBe(reference.SeriesInstanceUID);
    expect(series.items('ContourImageSequence').map((image) => image.string('ReferencedSOPInstanceUID'))).toEqual(
      reference.slices.map(({ SOPInstanceUID }) => SOPInstanceUID),
    );
  });
  it('numbers ROIs from one and observations from zero', () => {
    expect(rois.map((item) => item.number('ROINumber'))).toEqual([1, 2]);
    expect(rois.map((item) => item.string('ROIGenerationAlgorithm'))).toEqual(['SEMIAUTOMATIC', 'SEMIAUTOMATIC']);
    expect(contours.map((item) => item.number('ReferencedROINumber'))).toEqual([1, 2]);
    expect(observations.map((item) => item.number('ObservationNumber'))).toEqual([0, 1]);
    expect(observations.map((item) => item.number('ReferencedROINumber'))).toEqual([1, 2]);
  });
  it('knows only the types that InnerEye knew, and an interpreter', () => {
    expect(observations.map((item) => item.string('RTROIInterpretedType'))).toEqual(['ORGAN', undefined]);
    expect(observations.map((item) => item.string('ROIInterpreter'))).toEqual([
      'Default_Interpreter',
      'Default_Interpreter',
    ]);
  });
  it('writes three decimals always, colours, and an empty structure as a sequence without items', () => {
    const contour = contours[0].items('ContourSequence')[0];
    for (const value of contour.strings('ContourData')) expect(value).toMatch(/^-?\d+\.\d{3}$/);
    expect(contour.string('ContourGeometricType')).toBe('CLOSED_PLANAR');
    expect(contour.items('ContourImageSequence')[0].string('ReferencedSOPInstanceUID')).toBe(
      reference.slices[1].SOPInstanceUID,
    );
    expect(contours[0].numbers('ROIDisplayColor')).toEqual([10, 20, 30]);
    expect(contours[1].has('ContourSequence')).toBe(true);
    expect(contours[1].items('ContourSequence')).toEqual([]);
  });
});

describe('the profile strict', () => {
  const { dataset } = write('strict');
  it('says automatic, not approved, model and program, and leaves an empty structure without contours', () => {
    const [full, empty] = dataset.items('ROIContourSequence');
    expect(dataset.string('ApprovalStatus')).toBe('UNAPPROVED');
    expect(dataset.strings('SoftwareVersions')).toEqual(['ct-test:1.2.0', 'Isocenter 0.1.0 (0123abc)']);
    expect(dataset.string('StructureSetDescription')).toContain(testProvenance.runUID);
    expect(dataset.items('StructureSetROISequence').map((item) => item.string('ROIGenerationAlgorithm'))).toEqual([
      'AUTOMATIC',
      'AUTOMATIC',
    ]);
    expect(dataset.items('StructureSetROISequence').map((item) => item.number('ROIVolume'))).toEqual([0.01, 0]);
    expect(full.has('ContourSequence')).toBe(true);
    expect(empty.has('ContourSequence')).toBe(false);
  });
});
