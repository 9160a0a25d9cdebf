/** Contour data: few decimals, at most 16 characters, vertices where the affine puts the corners of voxels. */
import { affineFrom, IDENTITY_AFFINE, indexToPatient, makeVolume, type Vector3 } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import {
  countedUIDs,
  orientations,
  paperReference,
  testNow,
  testProvenance,
} from '../../../../tools/test/dicom-objects.js';
import { parseDicom } from '../dataset/parse.js';
import { ContourDataWriter, decimalsFor } from './contour-data.js';
import { readRtstruct } from './read.js';
import { rtstructToSegmentation } from './to-segmentation.js';
import { writeRtstruct } from './write.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
/** Writes single numbers as i of the identity affine. */
const writeOne = (value: number, decimals: number, trim: boolean): string =>
  text(new ContourDataWriter(IDENTITY_AFFINE, decimals, trim).write([value, 0], 0)).split('\\')[0];

describe('a coordinate', () => {
  it('is rounded to the decimals asked for, with a sign only when something is left', () => {
    expect(writeOne(1.23456, 3, false)).toBe('1.235');
    expect(writeOne(-1.2, 3, false)).toBe('-1.200');
    expect(writeOne(-0.0004, 3, false)).toBe('0.000');
    expect(writeOne(0.9996, 3, false)).toBe('1.000');
    expect(writeOne(-700.125, 3, true)).toBe('-700.125');
    expect(writeOne(-700.1, 3, true)).toBe('-700.1');
    expect(writeOne(250, 3, true)).toBe('250');
    expect(writeOne(0.05, 3, true)).toBe('0.05');
    expect(writeOne(7.6, 0, true)).toBe('8');
  });
  it('is what toFixed says, for thousands of values', () => {
    const [fixed, trimmed] = [false, true].map((trim) => new ContourDataWriter(IDENTITY_AFFINE, 3, trim));
    const first = (writer: ContourDataWriter, value: number) => text(writer.write([value, 0], 0)).split('\\')[0];
    for (let n = 0; n < 5000; n++) {
      const value = Math.sin(n * 12.9898) * 10 ** (n % 7);
      const written = first(fixed, value);
      expect(Math.abs(Number(written) - value)).toBeLessThanOrEqual(0.0005 + Math.abs(value) * 1e-15);
      expect(written.length).toBeLessThanOrEqual(16);
      expect(Number(first(trimmed, value))).toBe(Number(written));
    }
  });
  it('never exceeds 16 characters, and is refused where it would', () => {
    expect(writeOne(-9999999.123456, 6, false)).toHaveLength(15);
    expect(() => writeOne(1e8, 3, false)).toThrowError(expect.objectContaining({ kind: 'geometry' }));
    expect(() => writeOne(Number.NaN, 3, false)).toThrowError(expect.objectContaining({ kind: 'geometry' }));
  });
  it('gets more decimals for voxels below half a millimetre', () => {
    const scaled = (mm: number) => affineFrom(orientations.axial, [mm, mm, mm], [0, 0, 0]);
    expect([1, 0.5, 0.4, 0.05, 0.01].map((mm) => decimalsFor(scaled(mm)))).toEqual([3, 3, 4, 4, 5]);
  });
});

describe.each(Object.keys(orientations))('a single voxel in %s slices', (name) => {
  const [row, column, normal] = orientations[name];
  const spacing: Vector3 = [0.7, 1.3, 3.25];
  const origin: Vector3 = [-12.3, 45.6, -789.1];
  const size = [9, 8, 5] as const;
  const reference = paperReference(size, affineFrom(orientations[name], spacing, origin));
  const data = new Uint8Array(9 * 8 * 5);
  const [i, j, k] = [4, 2, 3];
  data[i + 9 * (j + 8 * k)] = 1;
  const segmentation = {
    kind: 'segmentation',
    grid: reference.grid,
    layers: [makeVolume(data, size, reference.grid.affine)],
    structures: [{ name: 'dot', colour: [1, 2, 3], interpretedType: '', layer: 0, label: 1 }],
  } as const;
  const options = { holes: 'even-odd', provenance: testProvenance, now: testNow, uid: countedUIDs() } as const;
  const set = readRtstruct(parseDicom(writeRtstruct(segmentation, reference, options)));

  it('has its four corners as contour, within a thousandth of a millimetre', () => {
    const { points } = set.rois[0].contours[0];
    expect(points).toHaveLength(12);
    // Corners from first principles: centre plus and minus half a voxel along row and column direction.
    const corner = (a: number, b: number) =>
      [0, 1, 2].map(
        (x) =>
          origin[x] + row[x] * (i + a) * spacing[0] + column[x] * (j + b) * spacing[1] + normal[x] * k * spacing[2],
      );
    const corners = [corner(-0.5, -0.5), corner(0.5, -0.5), corner(0.5, 0.5), corner(-0.5, 0.5)];
    for (const expected of corners) {
      const distances = [0, 3, 6, 9].map((p) => Math.hypot(...expected.map((value, x) => value - points[p + x])));
      expect(Math.min(...distances)).toBeLessThan(0.001);
    }
    expect(set.rois[0].contours[0].referencedSOPInstanceUIDs).toEqual([reference.slices[k].SOPInstanceUID]);
  });
  it('comes back as that voxel', () => {
    const back = rtstructToSegmentation(set, reference);
    expect(Buffer.compare(Buffer.from(back.segmentation.layers[0].data), Buffer.from(data))).toBe(0);
    expect(back.findings).toEqual([]);
    expect(indexToPatient(reference.grid.affine, 0, 0, 0)).toEqual(origin);
  });
});

it('a contour of more than 64 kB survives implicit and explicit VR', () => {
  const [ni, nj] = [2400, 16];
  const reference = paperReference([ni, nj, 2], affineFrom(orientations.oblique, [0.7, 0.7, 2], [-101.1, 55.5, -7.7]));
  const data = new Uint8Array(ni * nj * 2);
  // A comb: one region with 1200 teeth, so one ring of 4800 points.
  for (let j = 1; j < 4; j++) data.fill(1, 1 + ni * j, ni - 1 + ni * j);
  for (let i = 1; i < ni - 1; i++) for (let j = 4; j < nj - 1; j++) data[i + ni * j] = i % 2;
  const segmentation = {
    kind: 'segmentation',
    grid: reference.grid,
    layers: [makeVolume(data, [ni, nj, 2], reference.grid.affine)],
    structures: [{ name: 'comb', colour: [1, 2, 3], interpretedType: '', layer: 0, label: 1 }],
  } as const;
  for (const decimals of [3, 6])
    for (const transferSyntaxUID of ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1']) {
      const options = {
        holes: 'even-odd',
        provenance: testProvenance,
        now: testNow,
        uid: countedUIDs(),
        decimals,
      } as const;
      const bytes = writeRtstruct(segmentation, reference, { ...options, transferSyntaxUID });
      const file = parseDicom(bytes);
      expect(file.tolerances).toEqual([]);
      const contour = file.dataset.items('ROIContourSequence')[0].items('ContourSequence')[0];
      expect(contour.bytes('ContourData')?.length).toBeGreaterThan(65_536);
      const back = rtstructToSegmentation(readRtstruct(file), reference);
      expect(Buffer.from(back.segmentation.layers[0].data).equals(Buffer.from(data))).toBe(true);
    }
});
