/** The golden values of specs/monai.md C.2 to C.4, computed there with MONAI itself. */
import { lpsToRas, originOf, type Size3 } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { TargetObject } from '../bundle/config/values.js';
import { undoSteps } from './spatial-step.js';
import { makeTransform } from './table.js';
import { arange, fromMonai, IDENTITY_RAS, toMonai, transformed } from './test-tensors.suite.js';
import { TransformError } from './transform-error.js';

const close = (actual: ArrayLike<number>, expected: readonly number[], digits = 4) => {
  expect(actual.length).toBe(expected.length);
  for (const [at, value] of expected.entries()) expect(actual[at]).toBeCloseTo(value, digits);
};

describe('Orientation and Spacing', () => {
  const image = fromMonai(arange(120), 1, [6, 5, 4], [-0.8, 0, 0, 100, 0, -0.8, 0, 120, 0, 0, 3, -50, 0, 0, 0, 1]);
  const ras = transformed(image, [['Orientationd', { axcodes: 'RAS' }]]);
  const at = (t: typeof ras.tensor, i: number, j: number, k: number) => t.data[i + t.size[0] * (j + t.size[1] * k)];

  it('orientation moves the origin and flips', () => {
    close(originOf(lpsToRas(ras.tensor.affine)), [96, 116.8, -50], 6);
    expect(ras.tensor.data[0]).toBe(116);
  });

  it('bilinear spacing gives the known lines and sum', () => {
    const { tensor } = transformed(ras.tensor, [['Spacingd', { pixdim: [1.5, 1.5, 2], mode: 'bilinear' }]]);
    expect(tensor.size).toEqual([4, 3, 6]);
    close(
      [0, 1, 2, 3].map((i) => at(tensor, i, 0, 0)),
      [116, 78.5, 41, 16],
    );
    close(
      [0, 1, 2].map((j) => at(tensor, 0, j, 0)),
      [116, 108.5, 101],
    );
    close(
      [0, 1, 2, 3, 4, 5].map((k) => at(tensor, 0, 0, k)),
      [116, 116.6667, 117.3333, 118, 118.6667, 119],
    );
    expect((tensor.data as Float32Array).reduce((a, b) => a + b, 0)).toBeCloseTo(4103, 2);
  });

  it('nearest spacing', () => {
    const { tensor } = transformed(ras.tensor, [['Spacingd', { pixdim: [1.5, 1.5, 2], mode: 'nearest' }]]);
    close(
      [0, 1, 2, 3].map((i) => at(tensor, i, 0, 0)),
      [116, 76, 36, 16],
    );
    close(
      [0, 1, 2, 3, 4, 5].map((k) => at(tensor, 0, 0, k)),
      [116, 117, 117, 118, 119, 119],
    );
  });

  it('both are undone with the same interpolation', () => {
    const entry = transformed(image, [
      ['Orientationd', { axcodes: 'RAS' }],
      ['Spacingd', { pixdim: [1.5, 1.5, 2], mode: 'bilinear' }],
    ]);
    const back = undoSteps(entry.tensor, entry.steps, false);
    expect(back.size).toEqual([6, 5, 4]);
    close(
      [0, 1, 2, 3, 4, 5].map((i) => at(back, i, 0, 0)),
      [9.3333, 22.6667, 41, 61, 81, 101],
      3,
    );
  });

  it.each<[Size3, number[], number[], number[]]>([
    [
      [512, 512, 100],
      [0.7, 0.7, 5],
      [1.5, 1.5, 2],
      [239, 239, 248],
    ],
    [
      [10, 10, 10],
      [1, 1, 1],
      [1.5, 1.5, 2],
      [7, 7, 6],
    ],
    [[7, 8, 9], [2, 2, 2], [1], [13, 15, 17]],
    [[4, 4, 4], [1, 1, 1], [2], [2, 2, 2]],
  ])('sizes %j at %j become %j', (size, from, to, expected) => {
    const affine = [from[0], 0, 0, 0, 0, from[1], 0, 0, 0, 0, from[2], 0, 0, 0, 0, 1];
    // Sizes only: nearest on bytes keeps the large case cheap.
    const tensor = { ...fromMonai([0], 1, [1, 1, 1]), data: new Uint8Array(size[0] * size[1] * size[2]), size, affine };
    expect(transformed(tensor, [['Spacingd', { pixdim: to, mode: 'nearest' }]]).tensor.size).toEqual(expected);
  });
});

describe('Resize', () => {
  const image = fromMonai(arange(16), 1, [4, 4, 1], IDENTITY_RAS, 2);
  const rows = (mode: string | undefined, n: number) => {
    const values = toMonai(
      transformed(image, [['Resized', { spatial_size: [n, n], ...(mode ? { mode } : {}) }]]).tensor,
    );
    return Array.from({ length: n }, (_, i) => values.slice(i * n, (i + 1) * n));
  };

  it.each<[string, number[]]>([
    ['bilinear', [0, 0.5, 1.16667, 1.83333, 2.5, 3]],
    ['bicubic', [-0.43403, 0.05903, 0.86574, 1.43982, 2.24653, 2.73958]],
    ['nearest', [0, 0, 1, 2, 2, 3]],
    ['nearest-exact', [0, 1, 1, 2, 3, 3]],
  ])('%s 4 → 6', (mode, expected) => {
    close(rows(mode, 6)[0], expected);
    if (mode === 'bilinear') close(rows(mode, 6)[1], [2, 2.5, 3.16667, 3.83333, 4.5, 5]);
  });

  it('averages areas unless told otherwise', () => {
    expect(rows(undefined, 2)).toEqual([
      [2.5, 4.5],
      [10.5, 12.5],
    ]);
    expect(rows('area', 3)).toEqual([
      [2.5, 3.5, 4.5],
      [6.5, 7.5, 8.5],
      [10.5, 11.5, 12.5],
    ]);
  });
});

describe('crops and pads', () => {
  const image = fromMonai(
    arange(36).map((at) => (Math.floor(at / 6) >= 2 && Math.floor(at / 6) <= 3 && at % 6 >= 1 && at % 6 <= 4 ? 1 : 0)),
    1,
    [6, 6, 1],
    IDENTITY_RAS,
    2,
  );
  const size = (args: Record<string, unknown>) =>
    transformed(image, [['CropForegroundd', { source_key: 'image', ...args }]]).tensor.size.slice(0, 2);

  it('the foreground box, with margin, clipped or not, and divisible', () => {
    expect(size({})).toEqual([2, 4]);
    expect(size({ margin: 3, allow_smaller: true })).toEqual([6, 6]);
    expect(size({ margin: 3 })).toEqual([8, 10]);
    expect(size({ k_divisible: 4 })).toEqual([4, 4]);
  });

  it('come back to where they were', () => {
    for (const step of [
      ['CropForegroundd', { source_key: 'image', margin: 3 }],
      ['CropForegroundd', { source_key: 'image' }],
      ['SpatialPadd', { spatial_size: [9, 8] }],
      ['DivisiblePadd', { k: 4 }],
      ['Flipd', { spatial_axis: 0 }],
      ['Transposed', { indices: [0, 2, 1] }],
      ['Orientationd', { axcodes: 'PIL' }],
    ] as const) {
      const entry = transformed(image, [step]);
      const back = undoSteps(entry.tensor, entry.steps, false);
      expect(back.data, step[0]).toEqual(image.data);
      expect(back.affine).toEqual(image.affine);
    }
  });

  it('pads split the odd voxel to the end', () => {
    const line = fromMonai([1, 2, 3], 1, [3, 1, 1]);
    expect(toMonai(transformed(line, [['SpatialPadd', { spatial_size: [6, 1, 1] }]]).tensor)).toEqual([
      0, 1, 2, 3, 0, 0,
    ]);
    expect(
      toMonai(transformed(line, [['SpatialPadd', { spatial_size: [5, 1, 1], method: 'end', value: 7 }]]).tensor),
    ).toEqual([1, 2, 3, 7, 7]);
    expect(
      toMonai(
        transformed(fromMonai(arange(7), 1, [7, 1, 1]), [['CenterSpatialCropd', { roi_size: [4, -1, -1] }]]).tensor,
      ),
    ).toEqual([1, 2, 3, 4]);
  });
});

describe('intensity', () => {
  const values = (
    list: readonly number[],
    name: string,
    args: Record<string, unknown>,
    size: Size3 = [list.length, 1, 1],
  ) => toMonai(transformed(fromMonai(list, 1, size), [[name, args]]).tensor);

  it('ScaleIntensityRange', () => {
    close(
      values([0, 100, 300, -100], 'ScaleIntensityRanged', { a_min: -57, a_max: 164, b_min: 0, b_max: 1, clip: true }),
      [0.257919, 0.710407, 1, 0],
      6,
    );
    close(values([5, 6], 'ScaleIntensityRanged', { a_min: 5, a_max: 5, b_min: 2, b_max: 3 }), [2, 3]);
  });

  it('ScaleIntensity, also of a constant image', () => {
    close(values([1, 2, 5], 'ScaleIntensityd', {}), [0, 0.25, 1]);
    close(values([1, 2, 5], 'ScaleIntensityd', { minv: -1, maxv: 1 }), [-1, -0.5, 1]);
    close(values([3, 3], 'ScaleIntensityd', { minv: 2, maxv: 4 }), [6, 6]);
    close(values([1, 2], 'ScaleIntensityd', { minv: null, maxv: null, factor: 0.5 }), [1.5, 3]);
  });

  it('NormalizeIntensity', () => {
    const list = [0, 2, 4, 0, 6, 8];
    close(
      values(list, 'NormalizeIntensityd', { nonzero: true }, [2, 3, 1]),
      [0, -1.341641, -0.447214, 0, 0.447214, 1.341641],
      6,
    );
    close(
      values(list, 'NormalizeIntensityd', {}, [2, 3, 1]),
      [-1.118034, -0.447214, 0.223607, -1.118034, 0.894427, 1.565248],
      6,
    );
    close(values([0, 0], 'NormalizeIntensityd', { nonzero: true }), [0, 0]);
    close(values([4, 4], 'NormalizeIntensityd', {}), [0, 0]);
  });

  it('percentiles', () => {
    const list = values(arange(101), 'ScaleIntensityRangePercentilesd', {
      lower: 1,
      upper: 99,
      b_min: 0,
      b_max: 1,
      clip: true,
    });
    close([list[2], list[98], list[0], list[100]], [0.01020408, 0.98979592, 0, 1], 7);
  });
});

describe('post-processing', () => {
  it('softmax and sigmoid', () => {
    close(
      toMonai(
        transformed(fromMonai([0, 1000, Math.log(3), 1000], 2, [2, 1, 1]), [['Activationsd', { softmax: true }]])
          .tensor,
      ),
      [0.25, 0.5, 0.75, 0.5],
    );
    close(
      toMonai(transformed(fromMonai([0, -1000], 1, [2, 1, 1]), [['Activationsd', { sigmoid: true }]]).tensor),
      [0.5, 0],
    );
  });

  it('the first maximum wins; then one-hot, threshold and rounding in this order', () => {
    const scores = fromMonai([1, 5, 1, 5, 0, 6], 3, [2, 1, 1]);
    expect(toMonai(transformed(scores, [['AsDiscreted', { argmax: true }]]).tensor)).toEqual([0, 2]);
    expect(toMonai(transformed(scores, [['AsDiscreted', { argmax: true, to_onehot: 3 }]]).tensor)).toEqual([
      1, 0, 0, 0, 0, 1,
    ]);
    expect(toMonai(transformed(scores, [['AsDiscreted', { threshold: 5 }]]).tensor)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(
      toMonai(
        transformed(fromMonai([0.5, 1.5, 2.5], 1, [3, 1, 1]), [['AsDiscreted', { rounding: 'torchrounding' }]]).tensor,
      ),
    ).toEqual([0, 2, 2]);
  });

  it('label maps: largest component, small objects, filter, holes', () => {
    const line = (list: number[]) => fromMonai(list, 1, [list.length, 1, 1]);
    expect(
      toMonai(
        transformed(line([1, 0, 1, 1, 2, 0, 2]), [['KeepLargestConnectedComponentd', { applied_labels: [1] }]]).tensor,
      ),
    ).toEqual([0, 0, 1, 1, 2, 0, 2]);
    expect(toMonai(transformed(line([1, 0, 1, 1, 0]), [['RemoveSmallObjectsd', { min_size: 2 }]]).tensor)).toEqual([
      0, 0, 1, 1, 0,
    ]);
    expect(toMonai(transformed(line([1, 2, 3]), [['LabelFilterd', { applied_labels: [1, 3] }]]).tensor)).toEqual([
      1, 0, 3,
    ]);
    const ring = [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0];
    expect(toMonai(transformed(fromMonai(ring, 1, [5, 5, 1]), [['FillHolesd', {}]]).tensor)[12]).toBe(1);
  });
});

describe('what is not understood', () => {
  const make = (name: string, args: Record<string, unknown>) => () =>
    makeTransform(new TargetObject(name, { keys: 'image', ...args } as TargetObject['named']), {
      monaiBefore15: false,
    });

  it('is refused by name instead of being ignored', () => {
    expect(make('ScaleIntensityd', { frob: 1 })).toThrow(TransformError);
    expect(make('Spacingd', { pixdim: [1], padding_mode: 'reflection' })).toThrow(/padding_mode/);
    expect(make('Lambdad', { func: 'x' })).toThrow(/not one of those known/);
    expect(make('ScaleIntensityRanged', { a_min: 0 })).toThrow(/a_max is missing/);
  });
});
