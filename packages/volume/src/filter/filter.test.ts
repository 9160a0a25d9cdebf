/** Smoothing, thresholds and arg-max do what their one-line formulas say. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { GeometryError } from '../geometry.js';
import { askPython, filled, randomNumbers, randomVolume } from '../test-volumes.suite.js';
import { erf, gaussianKernel, gaussianSmooth } from './gaussian.js';
import { argMax, threshold } from './select.js';

describe('erf', () => {
  it('has the tabulated values', () => {
    expect(erf(0)).toBe(0);
    for (const [x, value] of [
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2.9, 0.9999589021219005],
      [3.1, 0.9999883513426328],
      [-1, -0.8427007929497149],
    ])
      expect(Math.abs(erf(x) - value)).toBeLessThan(1e-14);
  });
});

describe('gaussianSmooth', () => {
  const volume = randomVolume([7, 6, 5], 3, [1, 2, 0.5]);

  /** Slow twin: the full three-dimensional sum. */
  function slowly(sigma: readonly number[], repeat: boolean): number[] {
    const kernels = sigma.map((s) => (s > 0 ? gaussianKernel(s) : Float64Array.of(1)));
    const [ni, nj, nk] = volume.size;
    const tails = kernels.map((kernel) => (kernel.length - 1) / 2);
    const out: number[] = [];
    for (let k = 0; k < nk; k++)
      for (let j = 0; j < nj; j++)
        for (let i = 0; i < ni; i++) {
          let sum = 0;
          for (let c = -tails[2]; c <= tails[2]; c++)
            for (let b = -tails[1]; b <= tails[1]; b++)
              for (let a = -tails[0]; a <= tails[0]; a++) {
                const at = [i + a, j + b, k + c];
                const inside = at.every((x, axis) => x >= 0 && x < volume.size[axis]);
                if (!inside && !repeat) continue;
                const [x, y, z] = at.map((v, axis) => Math.min(Math.max(v, 0), volume.size[axis] - 1));
                sum +=
                  kernels[0][a + tails[0]] *
                  kernels[1][b + tails[1]] *
                  kernels[2][c + tails[2]] *
                  volume.data[x + ni * (y + nj * z)];
              }
          out.push(sum);
        }
    return out;
  }

  it('is the sum over the kernel, with zeros or the border repeated outside, in voxels or millimetres', () => {
    for (const border of ['zeros', 'repeat'] as const) {
      const want = slowly([0.8, 0, 1.2], border === 'repeat');
      const voxels = gaussianSmooth(volume, [0.8, 0, 1.2], 'voxel', border).data;
      const mm = gaussianSmooth(volume, [0.8, 0, 0.6], 'mm', border).data;
      for (const [n, value] of want.entries()) {
        expect(Math.abs(voxels[n] - value)).toBeLessThan(1e-3);
        expect(mm[n]).toBe(voxels[n]);
      }
    }
  });

  it('has a symmetric kernel that ends at four sigma and sums to almost 1', () => {
    const kernel = gaussianKernel(2);
    expect(kernel.length).toBe(17);
    expect(kernel[0]).toBe(kernel[16]);
    expect(kernel.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 4);
  });
});

describeWithPython(['monai', 'torch', 'numpy'], 'smoothing beside MONAI GaussianSmooth', (python) => {
  it('agrees', () => {
    const volume = randomVolume([20, 18, 16], 3);
    const script = `
import sys, numpy as np, torch
from monai.transforms import GaussianSmooth
v = torch.from_numpy(np.fromfile(sys.argv[1], np.float32).reshape(1, 16, 18, 20))
np.asarray(GaussianSmooth(sigma=(0.5, 1.0, 2.0))(v), np.float32).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [volume.data], Float32Array);
    const ours = gaussianSmooth(volume, [2, 1, 0.5]).data;
    for (const [n, value] of ours.entries()) expect(Math.abs(value - theirs[n])).toBeLessThan(1e-2);
  });
});

describe('threshold', () => {
  it('keeps values from low to high, both included, for any voxel type and length', () => {
    for (const make of [Int16Array, Float32Array, Uint8Array, Float64Array]) {
      const next = randomNumbers(5);
      const data = filled(make, 40000, () => Math.floor(next() * 100));
      expect(threshold(data, 20, 50)).toEqual(Uint8Array.from(data, (v) => (v >= 20 && v <= 50 ? 1 : 0)));
    }
    for (const make of [Int16Array, Uint16Array, Int8Array, Uint8Array])
      for (const [low, high] of [
        [-Infinity, 3.5],
        [2.5, Infinity],
        [1e9, 2e9],
        [-2e9, -1e9],
        [5, 4],
      ]) {
        const data = make.of(0, 1, 2, 3, 4, 100, 200, 40000, 65535);
        expect([...threshold(data, low, high)]).toEqual([...data].map((v) => (v >= low && v <= high ? 1 : 0)));
      }
    expect([...threshold(Float32Array.of(Number.NaN, 1, Infinity), 1)]).toEqual([0, 1, 1]);
    expect(() => threshold(Float32Array.of(1), 1, 2, new Uint8Array(2))).toThrow(GeometryError);
  });
});

describe('argMax', () => {
  it('gives the first of the largest channels', () => {
    const channels = [Float32Array.of(1, 2, 3, Number.NaN), Float32Array.of(1, 5, 2, 1), Float32Array.of(0, 5, 3, 0)];
    expect([...argMax(channels)]).toEqual([0, 1, 0, 1]);
  });

  it('agrees with the obvious loop over many chunks', () => {
    const next = randomNumbers(7);
    const channels = [0, 1, 2, 3].map(() => Float32Array.from({ length: 50001 }, () => Math.floor(next() * 5)));
    const want = channels[0].map((_, n) => {
      const scores = channels.map((channel) => channel[n]);
      return scores.indexOf(Math.max(...scores));
    });
    expect(argMax(channels, new Uint16Array(50001))).toEqual(Uint16Array.from(want));
  });

  it('refuses channels of different length and more labels than the array can hold', () => {
    expect(() => argMax([new Float32Array(2), new Float32Array(3)])).toThrow(GeometryError);
    expect(() => argMax(Array.from({ length: 300 }, () => new Float32Array(1)))).toThrow(GeometryError);
    expect(() => argMax([])).toThrow(GeometryError);
  });
});
