/**
 * Every row of specs/protocols.md 1.8 on a file as it came over the wire, written out by hand; read once more by pydicom, and
 * proved by dciodvfy. The images are those of the Gateway: hashed UIDs of 64 digits, with the VR LO.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dataset, parseDicom, writeDicom } from '@isocenter/dicom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dciodvfyErrors } from '../../../../../tools/test/dicom-objects.js';
import { describeWithPrograms, describeWithPython } from '../../../../../tools/test/needs.js';
import { entriesOf, type InnerEyeServer, innereyeServer, PASS_THROUGH, phantom, zipOf } from './innereye.suite.js';

const NAMES = ['SpinalCord', 'Lung_R', 'Lung_L', 'Heart', 'Esophagus'];
const HASHED = ['SeriesInstanceUID', 'StudyInstanceUID', 'SOPInstanceUID', 'FrameOfReferenceUID'] as const;
const SLICES = 4;

/** The Gateway's: SHA-512, each byte in decimal of two digits or more, behind a 1, cut to 64. */
function hashed(text: string): string {
  const digits = [...createHash('sha512').update(text, 'utf8').digest()].map((byte) => String(byte).padStart(2, '0'));
  return `1${digits.join('')}`.slice(0, 64);
}

const folder = mkdtempSync(join(tmpdir(), 'isocenter-innereye-'));
const path = join(folder, 'segmentation.dcm');
let server: InnerEyeServer;
let images: readonly Dataset[];
let bytes: Uint8Array;
let file: ReturnType<typeof parseDicom>;
let started: Date;
beforeAll(async () => {
  server = await innereyeServer();
  const zip = await zipOf(
    (await phantom()).map((entry, n) => {
      const { dataset, meta } = parseDicom(entry.bytes);
      for (const keyword of HASHED) dataset.set(keyword, hashed(dataset.string(keyword) ?? ''), 'LO');
      return { name: `ct/${n}`, bytes: writeDicom(dataset, { transferSyntaxUID: meta.string('TransferSyntaxUID') }) };
    }),
  );
  images = (await entriesOf(zip)).map((entry) => parseDicom(entry.bytes).dataset);
  started = new Date();
  const answer = await server.ended(await server.start(zip));
  if (answer.status !== 200) throw new Error(answer.body.toString());
  bytes = (await entriesOf(answer.body))[0]!.bytes;
  writeFileSync(path, bytes);
  file = parseDicom(bytes);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

it('the hash of these tests is that of the Gateway', () => {
  expect(hashed('1.2.34567')).toBe('1031611115842042201571108310370131941580715010924373111131841072');
  expect(hashed('TEST')).toBe('1123250149166136146767119921035129242122013824536190172177631322');
});

describe('the RTSTRUCT', () => {
  it('names the images by the UIDs that came, of one component and 64 digits, letter by letter', () => {
    expect(images[0]!.element('SOPInstanceUID')?.vr).toBe('LO');
    const { dataset } = file;
    const [first] = images;
    expect(dataset.string('StudyInstanceUID')).toBe(first!.string('StudyInstanceUID'));
    const [frame] = dataset.items('ReferencedFrameOfReferenceSequence');
    expect(frame!.string('FrameOfReferenceUID')).toBe(first!.string('FrameOfReferenceUID'));
    const [study] = frame!.items('RTReferencedStudySequence');
    expect(study!.string('ReferencedSOPClassUID')).toBe('1.2.840.10008.3.1.2.3.2');
    expect(study!.string('ReferencedSOPInstanceUID')).toBe(first!.string('StudyInstanceUID'));
    const [series] = study!.items('RTReferencedSeriesSequence');
    expect(series!.string('SeriesInstanceUID')).toBe(first!.string('SeriesInstanceUID'));
    const listed = series!.items('ContourImageSequence').map((image) => image.string('ReferencedSOPInstanceUID'));
    const sent = images.map((image) => image.string('SOPInstanceUID'));
    expect(new Set(listed)).toEqual(new Set(sent));
    expect(listed).toHaveLength(SLICES);
    for (const roi of dataset.items('StructureSetROISequence'))
      expect(roi.string('ReferencedFrameOfReferenceUID')).toBe(first!.string('FrameOfReferenceUID'));
    for (const roi of dataset.items('ROIContourSequence'))
      for (const contour of roi.items('ContourSequence'))
        expect(sent).toContain(contour.items('ContourImageSequence')[0]!.string('ReferencedSOPInstanceUID'));
  });

  it('has the golden values', () => {
    const { dataset, meta, transferSyntaxUID } = file;
    expect(transferSyntaxUID).toBe('1.2.840.10008.1.2');
    expect(meta.string('MediaStorageSOPClassUID')).toBe('1.2.840.10008.5.1.4.1.1.481.3');
    expect(meta.string('MediaStorageSOPInstanceUID')).toBe(dataset.string('SOPInstanceUID'));
    const golden = {
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.481.3',
      Modality: 'RTSTRUCT',
      Manufacturer: 'Default_Manufacturer',
      SoftwareVersions: PASS_THROUGH,
      StructureSetLabel: 'unknown',
    } as const;
    for (const [keyword, value] of Object.entries(golden))
      expect([keyword, dataset.string(keyword as keyof typeof golden)]).toEqual([keyword, value]);
    for (const keyword of [
      'SeriesNumber',
      'SeriesDescription',
      'OperatorsName',
      'StructureSetName',
      'StructureSetDescription',
    ] as const)
      expect([keyword, dataset.has(keyword), dataset.string(keyword)]).toEqual([keyword, true, undefined]);
    for (const keyword of [
      'PatientName',
      'PatientID',
      'PatientBirthDate',
      'PatientSex',
      'StudyDate',
      'StudyTime',
      'ReferringPhysicianName',
      'StudyID',
      'AccessionNumber',
      'StudyDescription',
    ] as const)
      expect([keyword, dataset.has(keyword), dataset.string(keyword)]).toEqual([
        keyword,
        true,
        images[0]!.string(keyword),
      ]);
    expect(dataset.string('SeriesInstanceUID')).not.toBe(images[0]!.string('SeriesInstanceUID'));
    expect(dataset.string('SeriesDate')).toMatch(/^\d{8}$/);
    expect(dataset.string('SeriesTime')).toMatch(/^\d{6}$/);
    const utc = `${dataset.string('StructureSetDate')}${dataset.string('StructureSetTime')}`;
    const written = Date.parse(utc.replace(/^(....)(..)(..)(..)(..)(..).*$/, '$1-$2-$3T$4:$5:$6Z'));
    expect(Math.abs(written - started.getTime())).toBeLessThan(600_000);
  });

  it('has the golden structures', () => {
    const { dataset } = file;
    const rois = dataset.items('StructureSetROISequence');
    expect(rois.map((roi) => [roi.number('ROINumber'), roi.string('ROIName')])).toEqual(
      NAMES.map((name, n) => [n + 1, name]),
    );
    for (const roi of rois) expect(roi.string('ROIGenerationAlgorithm')).toBe('SEMIAUTOMATIC');
    const contours = dataset.items('ROIContourSequence');
    expect(contours.map((item) => item.number('ReferencedROINumber'))).toEqual([1, 2, 3, 4, 5]);
    for (const item of contours) {
      expect(item.numbers('ROIDisplayColor')).toHaveLength(3);
      for (const contour of item.items('ContourSequence')) {
        const values = contour.strings('ContourData');
        expect(values.length).toBe(3 * (contour.number('NumberOfContourPoints') ?? 0));
        for (const value of values) expect(value).toMatch(/^-?\d{1,11}\.\d{3}$/);
        expect(contour.string('ContourGeometricType')).toBe('CLOSED_PLANAR');
      }
    }
    const observations = dataset.items('RTROIObservationsSequence');
    expect(observations.map((item) => item.number('ObservationNumber'))).toEqual([0, 1, 2, 3, 4]);
    expect(observations.map((item) => item.number('ReferencedROINumber'))).toEqual([1, 2, 3, 4, 5]);
    for (const item of observations) {
      expect(item.string('RTROIInterpretedType')).toBe('ORGAN');
      expect(item.string('ROIInterpreter')).toBe('Default_Interpreter');
    }
  });

  it('ends with its last element: no byte of a buffer behind it', () => {
    const again = writeDicom(file.dataset, { transferSyntaxUID: file.transferSyntaxUID });
    expect(again.length).toBe(bytes.length);
    expect(() => parseDicom(bytes.subarray(0, -1))).toThrow();
  });

  it('holds the rings of 1.9, pixel by pixel, in every slice (IE6)', () => {
    const pixel = 12 * 12;
    // Ring k has the pixels whose distance from the middle is 3(k-1) … 3k-1: 36(2k-1) of an even side.
    for (const [n, item] of file.dataset.items('ROIContourSequence').entries()) {
      const bySlice = new Map<string, number>();
      for (const contour of item.items('ContourSequence')) {
        const slice = contour.items('ContourImageSequence')[0]!.string('ReferencedSOPInstanceUID') as string;
        bySlice.set(slice, (bySlice.get(slice) ?? 0) + areaOf(contour.decimals('ContourData')) / pixel);
      }
      expect(bySlice.size).toBe(SLICES);
      for (const pixels of bySlice.values()) expect(pixels).toBeCloseTo(36 * (2 * n + 1), 2);
    }
  });
});

/** Shoelace sum in the plane, mm²; a keyhole takes the hole off again. */
function areaOf(points: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < points.length; at += 3) {
    const next = (at + 3) % points.length;
    sum +=
      (points[at] as number) * (points[next + 1] as number) - (points[next] as number) * (points[at + 1] as number);
  }
  return Math.abs(sum) / 2;
}

describeWithPython(['pydicom'], 'pydicom', (python) => {
  it('reads the same', () => {
    const script = `
import json, os, sys, pydicom
ds = pydicom.dcmread(sys.argv[1])
with open(sys.argv[1], 'rb') as f:
    last = pydicom.dcmread(f); end = f.tell()
print(json.dumps(dict(
  syntax=str(ds.file_meta.TransferSyntaxUID), versions=str(ds.SoftwareVersions), maker=ds.Manufacturer,
  rois=[[int(r.ROINumber), str(r.ROIName)] for r in ds.StructureSetROISequence],
  contours=[[int(c.ReferencedROINumber), len(c.ContourSequence)] for c in ds.ROIContourSequence],
  longest=max(len(str(v)) for c in ds.ROIContourSequence for s in c.ContourSequence for v in s.ContourData),
  kinds=sorted({str(o.RTROIInterpretedType) for o in ds.RTROIObservationsSequence}),
  whole=end == os.path.getsize(sys.argv[1]))))`;
    const said = JSON.parse(execFileSync(python, ['-W', 'ignore', '-c', script, path], { encoding: 'utf8' }));
    expect(said).toMatchObject({
      syntax: '1.2.840.10008.1.2',
      versions: PASS_THROUGH,
      maker: 'Default_Manufacturer',
      rois: NAMES.map((name, n) => [n + 1, name]),
      kinds: ['ORGAN'],
      whole: true,
    });
    expect(said.contours.map(([number]: [number]) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(said.longest).toBeLessThanOrEqual(16);
  });
});

describeWithPrograms(['dciodvfy'], 'dciodvfy', () => {
  it('finds no fault but the hashed UIDs, whose first component is longer than any root', () => {
    const errors = dciodvfyErrors(bytes).filter((line) => !line.startsWith('Error - Illegal root for UID'));
    expect(errors).toEqual([]);
  });
});
