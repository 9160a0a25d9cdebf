/** Resampling gives the values of the obvious eight-neighbour formula on every kind of grid, and MONAI's golden values. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import {
  type Affine,
  affineFrom,
  composeAffines,
  GeometryError,
  indexToPatient,
  invertAffine,
  lpsToRas,
  type Size3,
} from '../geometry.js';
import { allAxisCodes, reorient } from '../orientation.js';
import { askPython, filled, randomVolume, voxelArrays } from '../test-volumes.suite.js';
import { type Grid, makeVolume, type Volume } from '../volume.js';
import { resample, resampleSlab } from './resample.js';
import { resampleToSpacing, spacingGrid } from './spacing-grid.js';
import { cubicWeight, type Interpolation, type Outside, roundHalfEven, snap } from './taps.js';

/** Slow twin: for each output voxel, sums over the whole input with the kernel of each axis. */
function slowly(volume: Volume, grid: Grid, kind: Interpolation, outside: Outside): Float64Array {
  const map = composeAffines(invertAffine(volume.affine), grid.affine);
  const out = new Float64Array(grid.size[0] * grid.size[1] * grid.size[2]);
  let at = 0;
  for (let k = 0; k < grid.size[2]; k++)
    for (let j = 0; j < grid.size[1]; j++)
      for (let i = 0; i < grid.size[0]; i++)
        out[at++] = valueAt(volume, indexToPatient(map, i, j, k).map(snap), kind, outside);
  return out;
}

function valueAt({ data, size }: Volume, x: number[], kind: Interpolation, outside: Outside): number {
  const within = x.every((value, a) => value >= -0.5 && value <= size[a] - 0.5);
  if (typeof outside === 'object' && !within) return outside.constant;
  if (outside === 'zeros' && kind === 'nearest' && !within) return 0;
  const reach = kind === 'cubic' ? 2 : 1;
  const read = (i: number, j: number, k: number): number => {
    const index = [i, j, k];
    if (outside === 'zeros' && index.some((value, a) => value < 0 || value >= size[a])) return 0;
    const [a, b, c] = index.map((value, axis) => Math.min(Math.max(value, 0), size[axis] - 1));
    return data[a + size[0] * (b + size[1] * c)];
  };
  if (kind === 'nearest') {
    const [i, j, k] = x.map((value, a) => roundHalfEven(Math.min(Math.max(value, 0), size[a] - 1)));
    return read(i, j, k);
  }
  const kernel = kind === 'linear' ? (d: number) => Math.max(0, 1 - d) : cubicWeight;
  let sum = 0;
  for (let k = Math.floor(x[2]) - reach; k <= Math.floor(x[2]) + reach; k++)
    for (let j = Math.floor(x[1]) - reach; j <= Math.floor(x[1]) + reach; j++)
      for (let i = Math.floor(x[0]) - reach; i <= Math.floor(x[0]) + reach; i++)
        sum += kernel(Math.abs(x[0] - i)) * kernel(Math.abs(x[1] - j)) * kernel(Math.abs(x[2] - k)) * read(i, j, k);
  return sum;
}

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let at = 0; at < want.length; at++) worst = Math.max(worst, Math.abs(got[at] - want[at]));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

const volume = randomVolume([9, 7, 6], 1, [0.9, 1.1, 2.3]);
const finer: Grid = { size: [13, 11, 12], affine: [0.8, 0, 0, -21, 0, 0.7, 0, 29.3, 0, 0, 1.4, 2, 0, 0, 0, 1] };
const kinds: Interpolation[] = ['nearest', 'linear', 'cubic'];
const outsides: Outside[] = ['border', 'zeros', { constant: -77 }];

function tilted(grid: Grid, angle: number): Grid {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const turn: Affine = [c, -s, 0, 0, s * c, c * c, -s, 0, s * s, s * c, c, 0, 0, 0, 0, 1];
  return { size: grid.size, affine: composeAffines(grid.affine, turn) };
}

describe('resample agrees with the slow twin', () => {
  it('on parallel grids that reach beyond the input, for every kernel and rule for the outside', () => {
    for (const interpolation of kinds)
      for (const outside of outsides)
        expectClose(
          resample(volume, finer, { interpolation, outside }).data,
          slowly(volume, finer, interpolation, outside),
          1e-4,
        );
  });

  it('on oblique grids, for every kernel and rule for the outside', () => {
    for (const angle of [0.02, 0.4, -1.1])
      for (const interpolation of kinds)
        for (const outside of outsides) {
          const grid = tilted(finer, angle);
          expectClose(
            resample(volume, grid, { interpolation, outside }).data,
            slowly(volume, grid, interpolation, outside),
            1e-4,
          );
        }
  });

  it('for input in each of the 48 orientations', () => {
    const want = slowly(volume, finer, 'linear', 'border');
    for (const codes of allAxisCodes()) expectClose(resample(reorient(volume, codes), finer).data, want, 1e-4);
  });

  it('slab by slab, in any division', () => {
    const whole = resample(reorient(volume, 'SAR'), finer, { interpolation: 'cubic' }).data;
    const oblique = tilted(finer, 0.3);
    const wholeOblique = resample(volume, oblique).data;
    const plane = 13 * 11;
    for (const [from, to] of [
      [0, 1],
      [3, 8],
      [11, 12],
    ] as const) {
      const into = new Float32Array((to - from) * plane);
      resampleSlab(reorient(volume, 'SAR'), finer, from, to, { interpolation: 'cubic' }, into);
      expect(into).toEqual(whole.slice(from * plane, to * plane));
      resampleSlab(volume, oblique, from, to, {}, into);
      expect(into).toEqual(wholeOblique.slice(from * plane, to * plane));
    }
  });

  it('from any voxel type, and keeps the type when asked, rounding half to even within its range', () => {
    for (const make of voxelArrays) {
      const typed = makeVolume(
        filled(make, 378, (n) => (n * 37) % 256),
        volume.size,
        volume.affine,
      );
      const want = slowly(typed, finer, 'cubic', 'border');
      expectClose(resample(typed, finer, { interpolation: 'cubic' }).data, want, 1e-4);
      expectClose(
        resample(typed, tilted(finer, 0.2)).data,
        slowly(typed, tilted(finer, 0.2), 'linear', 'border'),
        1e-4,
      );
      const kept = resample(typed, finer, { interpolation: 'cubic', keepType: true });
      expect(kept.data.constructor).toBe(make);
      if (make === Uint8Array)
        expectClose(
          kept.data,
          want.map((x) => Math.min(255, Math.max(0, roundHalfEven(x)))),
          0,
        );
    }
  });

  it('is the identity on its own grid, also with infinities and one voxel thick', () => {
    const data = Float32Array.from([1, Infinity, -Infinity, 4, 5, 6]);
    const thin = makeVolume(data, [3, 2, 1], volume.affine);
    expect(resample(thin, thin).data).toEqual(data);
    expect(resample(thin, { size: [3, 2, 2], affine: thin.affine }, { interpolation: 'nearest' }).data).toEqual(
      Float32Array.from([...data, ...data]),
    );
  });

  it('refuses a slab or an array that does not fit', () => {
    expect(() => resampleSlab(volume, finer, 0, 13, {}, new Float32Array(9999))).toThrow(GeometryError);
    expect(() => resampleSlab(volume, finer, 0, 2, {}, new Float32Array(100))).toThrow(GeometryError);
  });
});

describe('spacingGrid', () => {
  const at = (size: Size3, spacing: readonly [number, number, number]): Grid => ({
    size,
    affine: affineFrom(
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      spacing,
      [1, 2, 3],
    ),
  });

  it('has the golden shapes of MONAI Spacing', () => {
    expect(spacingGrid(at([512, 512, 100], [0.7, 0.7, 5]), [1.5, 1.5, 2]).size).toEqual([239, 239, 248]);
    expect(spacingGrid(at([10, 10, 10], [1, 1, 1]), [1.5, 1.5, 2]).size).toEqual([7, 7, 6]);
    expect(spacingGrid(at([7, 8, 9], [2, 2, 2]), [1]).size).toEqual([13, 15, 17]);
    expect(spacingGrid(at([4, 4, 4], [1, 1, 1]), [2]).size).toEqual([2, 2, 2]);
  });

  it('keeps an axis whose spacing is not positive and does nothing within a micrometre', () => {
    expect(spacingGrid(at([7, 8, 9], [2, 2, 2]), [1, -1, Number.NaN]).size).toEqual([13, 8, 9]);
    const grid = at([7, 8, 9], [2, 2, 2]);
    expect(spacingGrid(grid, [2.0005, 2, 1.9995])).toBe(grid);
  });

  it('gives the golden values of MONAI Orientation and Spacing, and of their inverse', () => {
    const data = new Float32Array(120);
    for (let k = 0; k < 4; k++)
      for (let j = 0; j < 5; j++) for (let i = 0; i < 6; i++) data[i + 6 * (j + 5 * k)] = (i * 5 + j) * 4 + k;
    const source = makeVolume(data, [6, 5, 4], lpsToRas([-0.8, 0, 0, 100, 0, -0.8, 0, 120, 0, 0, 3, -50, 0, 0, 0, 1]));
    const ras = reorient(source, 'RAS');
    const out = resampleToSpacing(ras, [1.5, 1.5, 2]);
    expect(out.size).toEqual([4, 3, 6]);
    const line = (v: Volume, axis: number): number[] =>
      Array.from({ length: v.size[axis] }, (_, n) => v.data[n * [1, v.size[0], v.size[0] * v.size[1]][axis]]);
    expectClose(line(out, 0), [116, 78.5, 41, 16], 1e-5);
    expectClose(line(out, 1), [116, 108.5, 101], 1e-5);
    expectClose(line(out, 2), [116, 116.6667, 117.3333, 118, 118.6667, 119], 1e-4);
    expect([...out.data].reduce((sum, value) => sum + value, 0)).toBeCloseTo(4103, 2);
    const nearest = resampleToSpacing(ras, [1.5, 1.5, 2], { interpolation: 'nearest' });
    expect(line(nearest, 0)).toEqual([116, 76, 36, 16]);
    expect(line(nearest, 2)).toEqual([116, 117, 117, 118, 119, 119]);
    const back = resample(out, source);
    expectClose(line(back, 0), [9.3333, 22.6667, 41, 61, 81, 101], 1e-4);
  });
});

describeWithPython(['SimpleITK', 'numpy'], 'resample beside SimpleITK', (python) => {
  it('gives the same values on an oblique grid with a default value outside', () => {
    const grid = tilted(finer, 0.3);
    const ours = resample(volume, grid, { outside: { constant: -77 } });
    const script = `
import sys, numpy as np, SimpleITK as sitk
vox = np.fromfile(sys.argv[1], np.float32).reshape(6, 7, 9)
a = np.fromfile(sys.argv[2]).reshape(4, 4); b = np.fromfile(sys.argv[3]).reshape(4, 4)
im = sitk.GetImageFromArray(vox)
s = np.linalg.norm(a[:3, :3], axis=0); im.SetSpacing(s); im.SetDirection((a[:3, :3] / s).ravel()); im.SetOrigin(a[:3, 3])
s = np.linalg.norm(b[:3, :3], axis=0)
out = sitk.Resample(im, (13, 11, 12), sitk.Transform(), sitk.sitkLinear, b[:3, 3], s, (b[:3, :3] / s).ravel(), -77.0, sitk.sitkFloat32)
sitk.GetArrayFromImage(out).tofile(sys.argv[4])`;
    const theirs = askPython(
      python,
      script,
      [volume.data, Float64Array.from(volume.affine), Float64Array.from(grid.affine)],
      Float32Array,
    );
    expectClose(ours.data, theirs, 0.01);
  });
});

describeWithPython(['monai', 'numpy'], 'spacingGrid beside MONAI', (python) => {
  it('gives the same size and origin for sheared, flipped and oblique affines', () => {
    const affines = [0.1, 0.5, -0.7, 1.2, 2.5].map((angle, n) => {
      const { affine } = tilted(
        { size: [1, 1, 1], affine: [0.8 + n / 10, n / 20, 0, 5, 0, -1.1, 0.2, 6, 0.1, 0, 2.4, 7, 0, 0, 0, 1] },
        angle,
      );
      return affine;
    });
    const script = `
import sys, numpy as np
from monai.data.utils import zoom_affine, compute_shape_offset
out = []
for a in np.fromfile(sys.argv[1]).reshape(-1, 4, 4):
    z = zoom_affine(a, (1.5, 0.75, 2.0), diagonal=False)
    shape, offset = compute_shape_offset((30, 20, 25), a, z)
    z[:3, 3] = offset
    out.append(np.concatenate([np.asarray(shape, float), z.ravel()]))
np.concatenate(out).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [Float64Array.from(affines.flat())], Float64Array);
    affines.forEach((affine, n) => {
      const grid = spacingGrid({ size: [30, 20, 25], affine }, [1.5, 0.75, 2]);
      expect(grid.size).toEqual([...theirs.slice(n * 19, n * 19 + 3)]);
      expectClose(grid.affine, theirs.slice(n * 19 + 3, n * 19 + 19), 1e-6);
    });
  });
});
