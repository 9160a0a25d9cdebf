/** What post-processing leaves becomes structures: one label map, or one mask per channel packed into few layers. */
import { expect, it } from 'vitest';
import type { Bundle } from './bundle/bundle.js';
import { predictionOf } from './prediction-of.js';
import { makeTensor } from './transforms/tensor.js';

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const grid = { size: [4, 1, 1], affine: IDENTITY } as const;

function bundle(structures: { label: number; channel?: number }[], classes: string[] = []): Bundle {
  return {
    name: 'b',
    version: '1',
    isocenter: {
      channels: [{ name: 'image' }],
      structures: structures.map((s) => ({ ...s, name: `s${s.label}`, colour: [1, 2, 3], interpretedType: '' })),
      classes: classes.map((name) => ({ name })),
      weights: [],
    },
  } as unknown as Bundle;
}

function layersOf(...args: Parameters<typeof predictionOf>) {
  const prediction = predictionOf(...args);
  if (prediction.kind !== 'segmentation') throw new Error(prediction.kind);
  const { layers, structures } = prediction.segmentation;
  return {
    layers: layers.map(({ data }) => [...data]),
    structures: structures.map(({ name, layer, label }) => [name, layer, label]),
  };
}

it('a label map is one layer', () => {
  const result = layersOf(bundle([{ label: 1 }, { label: 2 }]), makeTensor(Uint8Array.of(0, 1, 2, 1), 1, grid), grid);
  expect(result).toEqual({
    layers: [[0, 1, 2, 1]],
    structures: [
      ['s1', 0, 1],
      ['s2', 0, 2],
    ],
  });
});

it('masks that overlap lie in different layers, others share one', () => {
  const masks = Uint8Array.of(1, 1, 0, 0, /**/ 0, 1, 1, 0, /**/ 0, 0, 0, 1);
  const three = [0, 1, 2].map((channel) => ({ label: channel + 1, channel }));
  expect(layersOf(bundle(three), makeTensor(masks, 3, grid), grid)).toEqual({
    layers: [
      [1, 1, 0, 3],
      [0, 2, 2, 0],
    ],
    structures: [
      ['s1', 0, 1],
      ['s2', 1, 2],
      ['s3', 0, 3],
    ],
  });
});

it('a vector is classes by name; scores that are no labels are refused', () => {
  const vector = makeTensor(Float32Array.of(0.25, 0.75), 2, { size: [1, 1, 1], affine: IDENTITY }, 0);
  expect(predictionOf(bundle([], ['no', 'yes']), vector, grid)).toEqual({
    kind: 'classification',
    classes: [
      { name: 'no', probability: 0.25 },
      { name: 'yes', probability: 0.75 },
    ],
  });
  expect(() => predictionOf(bundle([]), makeTensor(Float32Array.of(0, -1, 0, 0), 1, grid), grid)).toThrow(
    /no label map/,
  );
  expect(() =>
    predictionOf(bundle([]), makeTensor(Uint8Array.of(0), 1, { size: [1, 1, 1], affine: IDENTITY }), grid),
  ).toThrow(/1 × 1 × 1 voxels/);
});
