/** Reorienting loses nothing: every voxel keeps its value and its place in the patient, for all 48 orientations. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../tools/test/needs.js';
import { affineFrom, composeAffines, GeometryError, indexToPatient, invertAffine, lpsToRas } from './geometry.js';
import {
  allAxisCodes,
  axisCodesOf,
  invertPermutation,
  orientationOf,
  parseAxisCodes,
  permutationBetween,
  permuteAxes,
  reorient,
} from './orientation.js';
import { askPython, filled, randomNumbers, voxelArrays } from './test-volumes.suite.js';
import { makeVolume, type Volume, type VoxelArray } from './volume.js';

const LPS = affineFrom(
  [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  [0.7, 0.8, 2.5],
  [-10, 20, 30],
);

function counting(make: (typeof voxelArrays)[number], size = [5, 4, 3] as const): Volume<VoxelArray> {
  return makeVolume(
    filled(make, 60, (n) => n * 2 - 30),
    size,
    LPS,
  );
}

/** Slow twin: looks every output voxel up by its place in the patient. */
function sameEverywhere(a: Volume, b: Volume): void {
  const toA = composeAffines(invertAffine(a.affine), b.affine);
  for (let k = 0; k < b.size[2]; k++)
    for (let j = 0; j < b.size[1]; j++)
      for (let i = 0; i < b.size[0]; i++) {
        const [x, y, z] = indexToPatient(toA, i, j, k).map(Math.round);
        expect(b.data[i + b.size[0] * (j + b.size[1] * k)]).toBe(a.data[x + a.size[0] * (y + a.size[1] * z)]);
      }
}

describe('reorient', () => {
  it('knows 48 different axis codes', () => {
    expect(new Set(allAxisCodes()).size).toBe(48);
  });

  it('keeps each voxel in its place for every pair of start and target orientation', () => {
    const volume = counting(Int16Array);
    for (const codes of allAxisCodes()) {
      const turned = reorient(volume, codes);
      expect(axisCodesOf(turned.affine)).toBe(codes);
      sameEverywhere(volume, turned);
      const back = reorient(turned, 'LPS');
      expect(back.data).toEqual(volume.data);
      for (const [at, value] of back.affine.entries()) expect(value).toBeCloseTo(volume.affine[at], 12);
    }
  });

  it('works bit for bit on every voxel type', () => {
    for (const make of voxelArrays) {
      const turned = reorient(counting(make), 'SRA');
      expect(turned.data.constructor).toBe(make);
      sameEverywhere(counting(make), turned);
      expect(reorient(turned, 'LPS').data).toEqual(counting(make).data);
    }
  });

  it('is right across tile borders', () => {
    const next = randomNumbers(4);
    const volume = makeVolume(Float32Array.from({ length: 31 * 29 * 27 }, next), [31, 29, 27], LPS);
    for (const codes of ['SPL', 'PSR', 'IRA', 'RAI']) sameEverywhere(volume, reorient(volume, codes));
  });

  it('returns the volume itself when the axes run that way already', () => {
    const volume = counting(Uint8Array);
    expect(reorient(volume, 'lps')).toBe(volume);
  });

  it('inverts a permutation', () => {
    const volume = counting(Uint16Array);
    for (const codes of allAxisCodes()) {
      const permutation = permutationBetween(parseAxisCodes('LPS'), parseAxisCodes(codes));
      expect(permuteAxes(permuteAxes(volume, permutation), invertPermutation(permutation)).data).toEqual(volume.data);
    }
  });

  it('gives the golden values of MONAI Orientation RAS', () => {
    // arange(120) shaped 6 x 5 x 4 in MONAI's (i, j, k) order, k fastest; ours has i fastest.
    const data = new Float32Array(120);
    for (let k = 0; k < 4; k++)
      for (let j = 0; j < 5; j++) for (let i = 0; i < 6; i++) data[i + 6 * (j + 5 * k)] = (i * 5 + j) * 4 + k;
    const ras = [-0.8, 0, 0, 100, 0, -0.8, 0, 120, 0, 0, 3, -50, 0, 0, 0, 1];
    const turned = reorient(makeVolume(data, [6, 5, 4], lpsToRas(ras)), 'RAS');
    expect(turned.data[0]).toBe(116);
    const origin = indexToPatient(lpsToRas(turned.affine), 0, 0, 0);
    for (const [a, value] of [96, 116.8, -50].entries()) expect(origin[a]).toBeCloseTo(value, 12);
  });

  it('says what is wrong with codes that name no orientation', () => {
    for (const codes of ['LPX', 'LP', 'LRS', 'LPSS', '']) expect(() => parseAxisCodes(codes)).toThrow(GeometryError);
  });
});

describeWithPython(['nibabel'], 'orientation of oblique and sheared affines', (python) => {
  it('is the one nibabel finds', () => {
    const next = randomNumbers(11);
    const count = 300;
    const affines = new Float64Array(count * 16);
    const ours: string[] = [];
    for (let n = 0; n < count; n++) {
      const affine = Array.from({ length: 12 }, () => next() * 4 - 2).concat(0, 0, 0, 1);
      affines.set(lpsToRas(affine), n * 16);
      ours.push(axisCodesOf(orientationOf(affine)));
    }
    const script = `
import sys, numpy, nibabel
a = numpy.fromfile(sys.argv[1]).reshape(-1, 4, 4)
open(sys.argv[2], 'w').write(''.join(''.join(nibabel.aff2axcodes(m)) for m in a))`;
    const codes = Buffer.from(askPython(python, script, [affines], Uint8Array)).toString();
    expect(codes.match(/.../g)).toEqual(ours);
  });
});
