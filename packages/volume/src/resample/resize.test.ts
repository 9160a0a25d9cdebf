/** Resizing gives PyTorch's numbers: the golden values of monai.md C.2, and torch itself where it is installed. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { GeometryError, IDENTITY_AFFINE, indexToPatient, type Size3 } from '../geometry.js';
import { askPython, randomVolume } from '../test-volumes.suite.js';
import { makeVolume, type VoxelArray } from '../volume.js';
import { type ResizeMode, resize } from './resize.js';

/** arange(4 x 4), row r holding 4 r … 4 r + 3 along i. */
const square = makeVolume(
  Float32Array.from({ length: 16 }, (_, n) => n),
  [4, 4, 1],
  IDENTITY_AFFINE,
);
const row = (data: VoxelArray, n: number, width: number): number[] => [...data.slice(n * width, (n + 1) * width)];
const close = (got: number[], want: number[]): void => {
  expect(got.length).toBe(want.length);
  for (const [n, value] of want.entries()) expect(got[n]).toBeCloseTo(value, 4);
};

describe('resize', () => {
  it('has the golden values for 4 to 6', () => {
    const bilinear = resize(square, [6, 6, 1], 'linear').data;
    close(row(bilinear, 0, 6), [0, 0.5, 1.16667, 1.83333, 2.5, 3]);
    close(row(bilinear, 1, 6), [2, 2.5, 3.16667, 3.83333, 4.5, 5]);
    close(row(resize(square, [6, 6, 1], 'cubic').data, 0, 6), [-0.43403, 0.05903, 0.86574, 1.43982, 2.24653, 2.73958]);
    expect(row(resize(square, [6, -1, -1], 'nearest').data, 0, 6)).toEqual([0, 0, 1, 2, 2, 3]);
    expect(row(resize(square, [6, 4, 1], 'nearest-exact').data, 0, 6)).toEqual([0, 1, 1, 2, 3, 3]);
  });

  it('has the golden values of area averaging', () => {
    expect([...resize(square, [2, 2, 1], 'area').data]).toEqual([2.5, 4.5, 10.5, 12.5]);
    close([...resize(square, [3, 3, 1], 'area').data], [2.5, 3.5, 4.5, 6.5, 7.5, 8.5, 10.5, 11.5, 12.5]);
  });

  it('keeps the outer faces of the volume where they are', () => {
    const volume = randomVolume([6, 5, 4], 1, [2, 3, 4]);
    const out = resize(volume, [3, 10, 4], 'area');
    for (const corner of [-0.5, 1]) {
      const at = (size: Size3) => size.map((n) => (corner < 0 ? -0.5 : n - 0.5)) as [number, number, number];
      const [p, q] = [indexToPatient(volume.affine, ...at(volume.size)), indexToPatient(out.affine, ...at(out.size))];
      for (let a = 0; a < 3; a++) expect(q[a]).toBeCloseTo(p[a], 10);
    }
  });

  it('keeps the voxel type for nearest, and for the others when asked', () => {
    const bytes = makeVolume(Uint8Array.from([0, 255, 0, 255]), [4, 1, 1], IDENTITY_AFFINE);
    expect(resize(bytes, [8, 1, 1], 'nearest').data).toBeInstanceOf(Uint8Array);
    expect(resize(bytes, [8, 1, 1], 'linear').data).toBeInstanceOf(Float32Array);
    expect([...resize(bytes, [7, 1, 1], 'cubic', true).data].every((v) => v >= 0 && v <= 255)).toBe(true);
  });

  it('refuses sizes that are not whole and positive', () => {
    expect(() => resize(square, [0, 4, 1], 'area')).toThrow(GeometryError);
    expect(() => resize(square, [2.5, 4, 1], 'area')).toThrow(GeometryError);
  });
});

describeWithPython(['torch', 'numpy'], 'resize beside torch.nn.functional.interpolate', (python) => {
  it('agrees in three dimensions, up and down', () => {
    const volume = randomVolume([7, 9, 5], 3);
    const modes: ResizeMode[] = ['area', 'linear', 'nearest', 'nearest-exact'];
    const script = `
import sys, numpy as np, torch
v = torch.from_numpy(np.fromfile(sys.argv[1], np.float32).reshape(1, 1, 5, 9, 7))
out = []
for mode in ('area', 'trilinear', 'nearest', 'nearest-exact'):
    for size in ((8, 4, 11), (3, 12, 4)):
        out.append(torch.nn.functional.interpolate(v, size, mode=mode).numpy().ravel())
np.concatenate(out).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [volume.data], Float32Array);
    let at = 0;
    for (const mode of modes)
      for (const size of [
        [11, 4, 8],
        [4, 12, 3],
      ] as const)
        for (const value of resize(volume, size, mode).data) expect(Math.abs(value - theirs[at++])).toBeLessThan(2e-3);
    expect(at).toBe(theirs.length);
  });
});
