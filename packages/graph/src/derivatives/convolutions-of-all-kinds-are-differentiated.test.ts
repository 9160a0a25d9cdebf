/** Convolutions with random dimensions, kernels, strides, dilations, groups, pads and output pads; both forms of the transposed one. */
import { describe, expect, it } from 'vitest';
import { type Check, check } from '../evaluate/check.suite.js';
import { type Random, randomFrom, whole } from '../evaluate/random.suite.js';
import { conv, convTranspose } from '../layers/convolution.js';
import { range } from '../tensor/shape.js';

/** Sizes stay small: the twin visits every product. */
function randomWindow(random: Random, d: number) {
  const pick = (low: number, high: number) => range(0, d).map(() => whole(random, low, high));
  const groups = whole(random, 1, 2);
  return {
    groups,
    batch: whole(random, 1, 2),
    inputs: groups * whole(random, 1, 2),
    outputs: groups * whole(random, 1, 2),
    kernel: pick(1, 3),
    stride: pick(1, 3),
    dilation: pick(1, 2),
    padding: pick(0, 2),
    paddingEnd: pick(0, 2),
    extra: pick(0, 2),
    slack: pick(0, 3),
  };
}

function randomConv(random: Random, d: number): Check {
  const w = randomWindow(random, d);
  const reach = range(0, d).map((i) => w.dilation[i] * (w.kernel[i] - 1) + 1);
  const spatial = reach.map((n, i) => Math.max(1, n - w.padding[i] - w.paddingEnd[i]) + w.slack[i]);
  const { stride, dilation, padding, paddingEnd, groups } = w;
  return {
    inputs: {
      x: [w.batch, w.inputs, ...spatial],
      weight: [w.outputs, w.inputs / groups, ...w.kernel],
      bias: [w.outputs],
    },
    build: ({ x, weight, bias }) => conv(x, weight, { bias, groups, stride, dilation, padding, paddingEnd }),
  };
}

function randomTransposed(random: Random, d: number, form: 'subpixel' | 'node'): Check {
  const w = randomWindow(random, d);
  const reach = range(0, d).map((i) => w.dilation[i] * (w.kernel[i] - 1) + 1);
  // Padding cuts the result: it must leave something.
  const padding = w.padding.map((n, i) => Math.min(n, Math.floor((reach[i] - 1) / 2)));
  const outputPadding = w.extra.map((n, i) => Math.min(n, w.stride[i] - 1));
  const { stride, dilation, groups } = w;
  return {
    inputs: {
      x: [w.batch, w.inputs, ...w.slack.map((n) => n + 1)],
      weight: [w.inputs, w.outputs / groups, ...w.kernel],
      bias: [w.outputs],
    },
    build: ({ x, weight, bias }) =>
      convTranspose(x, weight, { bias, groups, stride, dilation, padding, outputPadding, form }),
  };
}

for (const d of [1, 2, 3])
  describe(`${d}-D`, () => {
    for (const seed of range(0, d === 3 ? 8 : 16)) {
      it(`convolution ${seed}`, async () => {
        const random = randomFrom(1000 * d + seed);
        await check(randomConv(random, d), random);
      });
      it(`transposed convolution ${seed}, sub-pixel`, async () => {
        const random = randomFrom(2000 * d + seed);
        await check(randomTransposed(random, d, 'subpixel'), random);
      });
      it(`transposed convolution ${seed}, as one node`, async () => {
        const random = randomFrom(2000 * d + seed);
        await check(randomTransposed(random, d, 'node'), random);
      });
    }
  });

describe('the shapes that networks use', () => {
  const network = (x: number[], weight: number[], options: Parameters<typeof conv>[2]): Check => ({
    inputs: { x, weight },
    build: (v) => conv(v.x, v.weight, options),
  });
  const cases: Record<string, Check> = {
    'same, 3 × 3 × 3': network([1, 2, 4, 4, 4], [3, 2, 3, 3, 3], { padding: 1 }),
    'halving, 3 × 3 × 3': network([1, 2, 6, 4, 5], [2, 2, 3, 3, 3], { padding: 1, stride: 2 }),
    'stem, 7 × 7': network([1, 1, 9, 8], [2, 1, 7, 7], { padding: 3, stride: 2 }),
    'patches, 2 × 2 × 2': network([1, 2, 4, 4, 4], [4, 2, 2, 2, 2], { stride: 2 }),
    'depthwise, 5 × 5': network([2, 3, 6, 6], [3, 1, 5, 5], { padding: 2, stride: 2, groups: 3 }),
    'many channels, deep: the transposed one is a single node': network([1, 2, 4, 4], [64, 2, 3, 3], {
      padding: 1,
      stride: 2,
    }),
    'many channels: only one axis is stacked': network([1, 65, 2, 2, 3], [2, 65, 1, 3, 3], { padding: [0, 1, 1] }),
    'still more: every offset is a product of its own': network([2, 129, 2, 3], [2, 129, 3, 3], { padding: 1 }),
    '1 × 1, strided': network([1, 3, 5, 5], [2, 3, 1, 1], { stride: 2 }),
  };
  for (const [name, what] of Object.entries(cases))
    it(name, async () => {
      const { gradients } = await check(what, randomFrom(name.length));
      expect([...gradients.keys()]).toEqual(['x', 'weight']);
    });
});
