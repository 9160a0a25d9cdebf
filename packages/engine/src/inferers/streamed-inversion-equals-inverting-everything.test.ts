/** Class probabilities carried back plane by plane give what inverting the whole probability volume gives. */
import type { Affine, Size3 } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { TargetObject } from '../bundle/config/values.js';
import { applyPointwise } from '../transforms/per-key.js';
import { undoSteps } from '../transforms/spatial-step.js';
import { makeTransform } from '../transforms/table.js';
import { fromMonai, noise, transformed } from '../transforms/test-tensors.suite.js';
import type { Pointwise } from '../transforms/transform.js';
import { inverseMaps } from './axis-maps.js';
import type { Predict } from './inferer.js';
import { makeInferer } from './make-inferer.js';
import { PlaneCollector } from './plane-collector.js';

const SIZE: Size3 = [15, 12, 10];
const AFFINE: Affine = [0, 0, 2.5, -30, -0.9, 0, 0, 40, 0, 1.1, 0, 7, 0, 0, 0, 1];
const pointwise = (name: string, args: Record<string, unknown>): Pointwise =>
  makeTransform(new TargetObject(name, { keys: 'pred', ...args } as TargetObject['named']), { monaiBefore15: false })
    .pointwise as Pointwise;
const softmax = pointwise('Activationsd', { softmax: true });
const argmax = pointwise('AsDiscreted', { argmax: true });

/** Three classes, smooth enough that interpolation decides many voxels. */
const predict: Predict = async (window, _channels, spatial) => {
  const n = window.length;
  const data = new Float32Array(3 * n);
  for (let at = 0; at < n; at++) {
    data[at] = window[at] * 4;
    data[n + at] = Math.sin(at / 3) * 2;
    data[2 * n + at] = Math.cos(at / 5) * 2;
  }
  return { data, channels: 3, spatial: [...spatial] };
};

const chains: readonly (readonly [string, readonly (readonly [string, Record<string, unknown>])[]])[] = [
  ['nothing', []],
  ['orientation', [['Orientationd', { axcodes: 'RAS' }]]],
  [
    'orientation and spacing',
    [
      ['Orientationd', { axcodes: 'RAS' }],
      ['Spacingd', { pixdim: [1.5, 1.5, 2] }],
    ],
  ],
  [
    'finer spacing',
    [
      ['Orientationd', { axcodes: 'RAS' }],
      ['Spacingd', { pixdim: [0.7, 0.8, 0.9] }],
    ],
  ],
  [
    'crop, then spacing',
    [
      ['SpatialCropd', { roi_start: [2, 3, 1], roi_end: [13, 12, 9] }],
      ['Spacingd', { pixdim: [1.5, 1.5, 2] }],
    ],
  ],
  [
    'spacing, then crop, then pad',
    [
      ['Spacingd', { pixdim: [1.5, 1.5, 2] }],
      ['SpatialCropd', { roi_start: [1, 1, 1], roi_end: [8, 7, 6] }],
      ['DivisiblePadd', { k: 4 }],
    ],
  ],
  [
    'spacing and resize',
    [
      ['Spacingd', { pixdim: [1.5, 1.5, 2] }],
      ['Resized', { spatial_size: [11, 9, 14], mode: 'trilinear' }],
    ],
  ],
  ['resize by area', [['Resized', { spatial_size: [7, 9, 5] }]]],
];

describe.each([false, true])('nearest %s', (nearest) => {
  it.each(chains)('%s', async (_name, chain) => {
    const image = fromMonai(noise(SIZE[0] * SIZE[1] * SIZE[2], 3), 1, SIZE, AFFINE);
    const { tensor, steps } = transformed(image, chain);
    const network = { size: tensor.size, affine: tensor.affine };
    const maps = inverseMaps(network, steps, nearest);
    expect(maps).toBeDefined();
    for (const roi of [
      [6, 6, 6],
      [-1, -1, 4],
    ]) {
      const inferer = makeInferer(new TargetObject('SlidingWindowInferer', { roi_size: roi, overlap: 0.25 }));
      const streamed = new PlaneCollector({
        before: [softmax],
        maps,
        after: [argmax],
        network,
        target: image,
        rank: 3,
      });
      const whole = new PlaneCollector({ before: [], after: [], network, target: network, rank: 3 });
      await inferer.run(predict, tensor, streamed, {});
      await inferer.run(predict, tensor, whole, {});
      const labels = applyPointwise(undoSteps(applyPointwise(whole.finish(), softmax), steps, nearest), argmax);
      const got = streamed.finish();
      expect(got.size).toEqual(image.size);
      expect(got.data).toBeInstanceOf(Uint8Array);
      let different = 0;
      for (let at = 0; at < labels.data.length; at++) if (labels.data[at] !== got.data[at]) different++;
      expect(different).toBe(0);
    }
  });
});

it('an oblique way back is left to the whole volume', () => {
  const oblique: Affine = [0.88, -0.12, 0.3, -30, 0.1, 0.95, 0.4, 40, -0.2, -0.3, 2.2, 7, 0, 0, 0, 1];
  const { tensor, steps } = transformed(fromMonai(noise(6 * 6 * 6), 1, [6, 6, 6], oblique), [
    ['Spacingd', { pixdim: [1.5] }],
  ]);
  expect(inverseMaps({ size: tensor.size, affine: tensor.affine }, steps, false)).toBeUndefined();
});
