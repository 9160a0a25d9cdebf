/** Golden values of MONAI's losses (fact sheet monai.md C.7), gradients against differences, and formulas of InnerEye by hand. */
import { describe, expect, it } from 'vitest';
import { check } from '../evaluate/check.suite.js';
import { evaluate } from '../evaluate/evaluate.suite.js';
import { randomFrom } from '../evaluate/random.suite.js';
import { runOnnx } from '../evaluate/run-onnx.suite.js';
import { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { sigmoid } from '../layers/activations.js';
import { expand, reshape } from '../layers/layout.js';
import { int64s } from '../tensor/tensor.js';
import { diceCrossEntropy, diceFocal, tverskyFocal } from './combined.js';
import { binaryCrossEntropy, crossEntropy, focalLoss } from './entropy.js';
import { softDice, weightedCrossEntropy } from './innereye.js';
import { diceLoss, generalizedDiceLoss, tverskyLoss } from './overlap.js';
import { meanAbsoluteError, meanSquaredError, smoothL1 } from './regression.js';
import { oneHot } from './targets.js';

const logits = { shape: [1, 2, 2, 2], data: Float64Array.of(0.5, -1, 2, 0, 1, 0.3, -0.5, 0.2) };
const single = { shape: [1, 1, 2, 2], data: Float64Array.of(0.5, -1, 2, 0) };
const labels = { shape: [1, 2, 2], data: Float64Array.of(1, 0, 0, 1) };

/** The loss in ONNX Runtime (float32) after the twin (double) agreed with it. */
async function lossOf(build: (x: Value, labels: Value) => Value, input = logits): Promise<number> {
  const graph = new Graph({ mode: 'train' });
  const x = graph.input('x', 'float32', input.shape);
  const loss = build(x, graph.input('labels', 'int64', labels.shape));
  graph.output('loss', loss);
  const given = new Map([
    ['x', input],
    ['labels', labels],
  ]);
  const [twin] = evaluate(graph, given, [loss]);
  const ran = await runOnnx(graph, given);
  expect(ran.loss.data[0]).toBeCloseTo(twin.data[0], 5);
  return twin.data[0];
}

const classes = (labels: Value) => oneHot(labels, 2, 4);
const map = (labels: Value) => reshape(classes(labels), [1, 2, 2, 2]);
const mapOf = (labels: Value) => labels.graph.node('Cast', [reshape(labels, [1, 1, 2, 2])], { to: 1 });

const golden: readonly (readonly [string, number, (x: Value, labels: Value) => Value])[] = [
  ['Dice, softmax', 0.4223794, (x, t) => diceLoss(x, classes(t), { activation: 'softmax' })],
  [
    'Dice without background',
    0.41879064,
    (x, t) => diceLoss(x, map(t), { activation: 'softmax', includeBackground: false }),
  ],
  ['Dice, squared', 0.2953814, (x, t) => diceLoss(x, classes(t), { activation: 'softmax', squared: true })],
  ['Dice, Jaccard', 0.59389645, (x, t) => diceLoss(x, classes(t), { activation: 'softmax', jaccard: true })],
  ['Dice and cross-entropy', 1.09540796, (x, t) => diceCrossEntropy(x, classes(t))],
  ['cross-entropy', 0.67302853, (x, t) => crossEntropy(x, classes(t))],
  ['focal, sigmoid', 0.21846727, (x, t) => focalLoss(x, classes(t))],
  ['focal, softmax', 0.14260861, (x, t) => focalLoss(x, classes(t), { activation: 'softmax' })],
  ['focal, alpha', 0.11087904, (x, t) => focalLoss(x, classes(t), { alpha: 0.25 })],
  ['focal without background', 0.12334196, (x, t) => focalLoss(x, classes(t), { includeBackground: false })],
];

describe('golden values', () => {
  for (const [name, expected, build] of golden)
    it(name, async () => {
      expect(await lossOf(build)).toBeCloseTo(expected, 6);
    });
  it('Dice of one channel, sigmoid', async () => {
    const loss = await lossOf((x, t) => diceLoss(x, mapOf(t), { activation: 'sigmoid' }), single);
    expect(loss).toBeCloseTo(0.47452724, 6);
  });
  it('Dice of nothing against nothing is 0', async () => {
    const nothing = { shape: [1, 1, 2, 2], data: new Float64Array(4) };
    expect(await lossOf((x) => diceLoss(x, x), nothing)).toBeCloseTo(0, 6);
  });
  it('Tversky with equal halves is Dice with half the smoothing', async () => {
    const tversky = await lossOf((x, t) => tverskyLoss(x, classes(t), { activation: 'softmax' }));
    expect(tversky).toBeCloseTo(0.4223794, 4);
  });
});

describe('formulas written out', () => {
  const x = logits.data;
  const softmax = [0, 1, 2, 3].map((i) => 1 / (1 + Math.exp(x[4 + i] - x[i])));
  const p = [softmax, softmax.map((v) => 1 - v)];
  const t = [
    [0, 1, 1, 0],
    [1, 0, 0, 1],
  ];
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  it('generalised Dice', async () => {
    const common = sum([0, 1].map((c) => sum(p[c].map((v, i) => v * t[c][i])) / 4));
    const sums = sum([0, 1].map((c) => (sum(p[c]) + 2) / 4));
    const expected = 1 - (2 * common + 1e-5) / (sums + 1e-5);
    expect(await lossOf((v, l) => generalizedDiceLoss(v, classes(l), { activation: 'softmax' }))).toBeCloseTo(
      expected,
      6,
    );
  });
  it('soft Dice of InnerEye', async () => {
    const ratio = [0, 1].map((c) => sum(p[c].map((v, i) => v * t[c][i])) / (sum(p[c].map((v) => v * v)) + 2));
    expect(await lossOf((v, l) => softDice(v, classes(l)))).toBeCloseTo(1 - sum(ratio), 6);
    // Both classes have two voxels: every power gives equal weights.
    expect(await lossOf((v, l) => softDice(v, classes(l), { classWeightPower: 0.5 }))).toBeCloseTo(1 - sum(ratio), 6);
  });
  it('focal loss of InnerEye', async () => {
    const right = [0, 1, 2, 3].map((i) => (t[0][i] ? p[0][i] : p[1][i]));
    const doubt = right.map((v) => (1 - v + 1e-6) ** 1.5);
    const expected = -sum(right.map((v, i) => (doubt[i] * Math.log(v)) / (sum(doubt) / 4))) / 4;
    expect(await lossOf((v, l) => weightedCrossEntropy(v, classes(l), { gamma: 1.5 }))).toBeCloseTo(expected, 6);
  });
  it('distances', async () => {
    const zero = (v: Value) =>
      expand(v.graph.constant({ dtype: 'float32', shape: [], data: Float32Array.of(0) }), v.shape);
    const all = [...x];
    expect(await lossOf((v) => meanSquaredError(v, zero(v)))).toBeCloseTo(sum(all.map((n) => n * n)) / 8, 6);
    expect(await lossOf((v) => meanAbsoluteError(v, zero(v)))).toBeCloseTo(sum(all.map(Math.abs)) / 8, 6);
    const smooth = all.map((n) => (Math.abs(n) < 0.8 ? (n * n) / 1.6 : Math.abs(n) - 0.4));
    expect(await lossOf((v) => smoothL1(v, zero(v), 0.8))).toBeCloseTo(sum(smooth) / 8, 6);
  });
});

describe('gradients', () => {
  const target = (x: Value) =>
    oneHot(reshape(x.graph.constant(int64s([0, 1, 2, 1, 0, 0, 2, 1, 1, 0, 2, 2])), [2, 2, 3]), x.shape[1], 4);
  const losses: Record<string, (x: Value) => Value> = {
    Dice: (x) => diceLoss(x, target(x), { activation: 'softmax' }),
    'Dice over the batch, squared': (x) =>
      diceLoss(x, target(x), { activation: 'sigmoid', squared: true, batch: true }),
    Jaccard: (x) => diceLoss(x, target(x), { activation: 'softmax', jaccard: true, includeBackground: false }),
    'generalised Dice': (x) => generalizedDiceLoss(x, target(x), { activation: 'softmax' }),
    Tversky: (x) => tverskyLoss(x, target(x), { activation: 'softmax', alpha: 0.3, beta: 0.7 }),
    'Dice and cross-entropy': (x) => diceCrossEntropy(x, target(x), { weights: [0.5, 1, 2] }),
    'Dice and focal': (x) => diceFocal(x, target(x), { gamma: 1.5 }),
    'Tversky and focal': (x) => tverskyFocal(x, target(x), { activation: 'softmax' }),
    'focal with alpha, softmax': (x) => focalLoss(x, target(x), { activation: 'softmax', alpha: 0.25 }),
    'binary cross-entropy': (x) => binaryCrossEntropy(x, target(x)),
    'soft Dice of InnerEye': (x) => softDice(x, target(x), { classWeightPower: 0.3 }),
    'cross-entropy of InnerEye': (x) => weightedCrossEntropy(x, target(x), { classWeightPower: 0.3 }),
    'mean squares': (x) => meanSquaredError(sigmoid(x), target(x)),
    'mean distances': (x) => meanAbsoluteError(sigmoid(x), target(x)),
    'smooth distances': (x) => smoothL1(x, target(x), 0.5),
  };
  for (const [name, build] of Object.entries(losses))
    it(name, async () => {
      await check({ inputs: { x: [2, 3, 2, 3] }, build: ({ x }) => build(x) }, randomFrom(name.length));
    });
});
