/** Each operator with random numbers: value against the twin, gradient against central differences, both in ONNX Runtime. */
import { describe, expect, it } from 'vitest';
import { type Check, check } from '../evaluate/check.suite.js';
import { randomFrom } from '../evaluate/random.suite.js';
import type { Value } from '../graph/value.js';
import * as a from '../layers/activations.js';
import * as m from '../layers/arithmetic.js';
import { attention } from '../layers/attention.js';
import * as l from '../layers/layout.js';
import * as x from '../layers/matrix.js';
import * as n from '../layers/normalization.js';
import * as p from '../layers/pooling.js';
import * as r from '../layers/reductions.js';
import { resize, upsample } from '../layers/resize.js';
import { int64s, tensorOf } from '../tensor/tensor.js';
import { gradientRules } from './table.js';

const seen = new Set<string>();

function cases(checks: Readonly<Record<string, Check>>): void {
  for (const [name, what] of Object.entries(checks))
    it(name, async () => {
      const { graph } = await check(what, randomFrom(name.length * 7919));
      for (const { operator } of graph.nodes) seen.add(operator);
    });
}

const one = (build: (x: Value) => Value, shape: readonly number[] = [2, 3, 4], place?: Check['place']): Check => ({
  inputs: { x: shape },
  build: ({ x }) => build(x),
  place,
});
const two = (
  build: (a: Value, b: Value) => Value,
  a: readonly number[],
  b: readonly number[],
  place?: Check['place'],
) => ({
  inputs: { a, b },
  build: ({ a, b }: Readonly<Record<string, Value>>) => build(a, b),
  place,
});

const positive = (v: number) => Math.abs(v) + 0.5;
/** Away from 0, where many have their kink. */
const bent = (v: number) => v + Math.sign(v) * 0.05;
const ints = (v: Value, numbers: readonly number[]) => v.graph.constant(int64s(numbers));

describe('elementwise', () => {
  cases({
    exp: one(m.exp),
    log: one(m.log, [5], positive),
    sqrt: one(m.sqrt, [5], positive),
    reciprocal: one(m.reciprocal, [5], positive),
    abs: one(m.abs, [5], bent),
    neg: one(m.neg),
    identity: one(m.identity),
    erf: one(m.erf),
    sine: one(m.sin),
    cosine: one(m.cos),
    'relu ': one(a.relu, [7], bent),
    'leaky relu': one((v) => a.leakyRelu(v, 0.2), [7], bent),
    'elu ': one((v) => a.elu(v, 1.3), [7], bent),
    sigmoid: one(a.sigmoid),
    tanh: one(a.tanh),
    softplus: one(a.softplus),
    mish: one(a.mish),
    swish: one(a.swish),
    gelu: one((v) => a.gelu(v)),
    'gelu by tanh': one((v) => a.gelu(v, 'tanh')),
    'log of sigmoid': one(a.logSigmoid),
    'hard sigmoid': one((v) => v.graph.node('HardSigmoid', [v], { alpha: 0.2, beta: 0.5 })),
    'hard swish': one((v) => v.graph.node('HardSwish', [v])),
    clip: one((v) => m.clip(v, -0.5, 0.7), [9]),
    'clip from below': one((v) => m.clip(v, -0.5), [9]),
    'prelu per channel': two((v, s) => a.prelu(v, s), [2, 3, 4], [3, 1], bent),
    'prelu with one slope': two((v, s) => a.prelu(v, s), [2, 3, 4], [1], bent),
    'add broadcasts': two(m.add, [2, 3, 4], [3, 1]),
    'subtract broadcasts': two(m.sub, [3, 1], [2, 1, 4]),
    'multiply broadcasts': two(m.mul, [2, 3], [1]),
    'divide broadcasts': two(m.div, [2, 3], [2, 1], positive),
    'power of both': two(m.pow, [2, 3], [3], positive),
    square: one((v) => m.pow(v, 2)),
    'power 1.5': one((v) => m.pow(v, 1.5), [5], positive),
    maximum: two(m.maximum, [2, 3], [3]),
    minimum: two(m.minimum, [2, 3], [2, 1]),
    'sum of three': one((v) => m.sum(v, m.exp(v), m.sin(v))),
    where: two((v, w) => m.where(m.greater(v, w), m.mul(v, w), m.exp(w)), [2, 3], [3]),
    'where or': one((v) => m.where(m.or(m.greater(v, 1), m.and(m.less(v, 0), m.not(m.equal(v, 0)))), v, 2)),
    'where at most': one((v) => m.where(m.lessOrEqual(v, 0.3), m.sin(v), m.cos(v))),
    'cast and floor carry nothing': one((v) => m.add(v, m.cast(m.cast(m.floor(v), 'int64'), 'float32'))),
    'sign carries nothing': one((v) => m.add(v, m.sign(v))),
  });
});

describe('pooling and resizing', () => {
  cases({
    'max pool': one((v) => p.maxPool(v, 2), [2, 2, 6, 4]),
    'max pool overlapping, padded': one((v) => p.maxPool(v, 3, { stride: 2, padding: 1 }), [1, 2, 7, 6]),
    'max pool 3-D': one((v) => p.maxPool(v, 2), [1, 2, 4, 4, 4]),
    'max pool ceil': one((v) => p.maxPool(v, 3, { stride: 2, ceil: true }), [1, 1, 8, 6]),
    'max pool dilated': one((v) => p.maxPool(v, 2, { stride: 1, dilation: 2 }), [1, 2, 6, 5]),
    'average pool': one((v) => p.averagePool(v, 2), [2, 2, 7, 4]),
    'average pool overlapping, padding counts': one(
      (v) => p.averagePool(v, 3, { stride: 2, padding: 1 }),
      [1, 2, 7, 6],
    ),
    'average pool, padding does not count': one(
      (v) => p.averagePool(v, 3, { stride: 2, padding: 1, countPadding: false }),
      [1, 2, 7, 6],
    ),
    'average pool 3-D': one((v) => p.averagePool(v, [2, 1, 3], { stride: [2, 1, 1] }), [1, 2, 4, 3, 5]),
    'global average': one(p.globalAveragePool, [2, 3, 3, 4]),
    'global maximum': one(p.globalMaxPool, [2, 3, 3, 4]),
    'adaptive average, even': one((v) => p.adaptiveAveragePool(v, 2), [1, 2, 4, 6]),
    'adaptive average, uneven': one((v) => p.adaptiveAveragePool(v, [3, 2]), [1, 2, 5, 7]),
    'adaptive maximum, uneven': one((v) => p.adaptiveMaxPool(v, [3, 2]), [1, 2, 5, 7]),
    'nearest ×2': one((v) => upsample(v, 2), [1, 2, 3, 4]),
    'nearest ×3×1×2': one((v) => upsample(v, [3, 1, 2]), [1, 2, 2, 3, 2]),
    'nearest to 5×7': one((v) => resize(v, [5, 7]), [1, 2, 3, 4]),
    'linear ×2': one((v) => upsample(v, 2, { mode: 'linear' }), [1, 2, 3, 4]),
    'linear ×2 3-D': one((v) => upsample(v, 2, { mode: 'linear' }), [1, 1, 3, 2, 4]),
    'linear ×2, corners aligned': one((v) => upsample(v, 2, { mode: 'linear', alignCorners: true }), [1, 2, 3, 4]),
    'linear to 5×7': one((v) => resize(v, [5, 7], { mode: 'linear' }), [1, 2, 3, 4]),
    'linear down': one((v) => resize(v, [3, 2], { mode: 'linear' }), [1, 2, 6, 5]),
  });
});

describe('norms', () => {
  const shape = [2, 4, 3, 2];
  cases({
    softmax: one((v) => a.softmax(v)),
    'softmax over the last axis': one((v) => a.softmax(v, -1)),
    'log softmax': one((v) => a.logSoftmax(v)),
    'instance norm': one((v) => n.instanceNorm(v), shape),
    'instance norm, affine': {
      inputs: { x: shape, weight: [4], bias: [4] },
      build: ({ x, weight, bias }) => n.instanceNorm(x, { weight, bias }),
    },
    'instance norm 3-D': one((v) => n.instanceNorm(v), [2, 2, 3, 2, 2]),
    'group norm': {
      inputs: { x: shape, weight: [4], bias: [4] },
      build: ({ x, weight, bias }) => n.groupNorm(x, 2, { weight, bias }),
    },
    'layer norm': {
      inputs: { x: [2, 3, 5], weight: [5], bias: [5] },
      build: ({ x, weight, bias }) => n.layerNorm(x, { weight, bias }),
    },
    'layer norm over two axes': {
      inputs: { x: [2, 3, 5], weight: [3, 5] },
      build: ({ x, weight }) => n.layerNorm(x, { weight }),
    },
    'layer norm without weights': one((v) => n.layerNorm(v, { axes: 2 })),
    'root mean square norm': two((v, w) => n.rmsNorm(v, w), [2, 3, 5], [5]),
    'batch norm in training': {
      inputs: { x: shape, weight: [4], bias: [4] },
      build: ({ x, weight, bias }) => n.batchNorm(x, { weight, bias, ...running(x) }),
    },
    'batch norm in use': {
      inputs: { x: shape, weight: [4], bias: [4], mean: [4], variance: [4] },
      build: ({ x, weight, bias, mean, variance }) =>
        x.graph.node('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: 1e-3 }),
      place: positive,
      mode: 'infer',
    },
  });
  const running = (v: Value) => ({
    runningMean: v.graph.parameter('running_mean', [v.shape[1]], { trainable: false }),
    runningVariance: v.graph.parameter('running_var', [v.shape[1]], { trainable: false }),
  });
});

describe('matrices', () => {
  cases({
    product: two(x.matMul, [3, 4], [4, 2]),
    'product, batched': two(x.matMul, [2, 3, 4], [2, 4, 2]),
    'product, broadcast': two(x.matMul, [2, 1, 3, 4], [5, 4, 2]),
    'gemm with c': {
      inputs: { a: [3, 4], b: [4, 2], c: [2] },
      build: ({ a, b, c }) => a.graph.node('Gemm', [a, b, c], { alpha: 1.5, beta: 0.5 }),
    },
    'gemm, first transposed': two((v, w) => x.gemm(v, w, { transA: true }), [4, 3], [4, 2]),
    'gemm, second transposed': two((v, w) => x.gemm(v, w, { transB: true }), [3, 4], [2, 4]),
    'gemm, both transposed': two((v, w) => x.gemm(v, w, { transA: true, transB: true }), [4, 3], [2, 4]),
    linear: {
      inputs: { x: [2, 3, 4], weight: [5, 4], bias: [5] },
      build: (v) => x.linear(v.x, v.weight, v.bias),
    },
    attention: {
      inputs: { q: [2, 3, 4], k: [2, 5, 4], v: [2, 5, 3], bias: [3, 5] },
      build: ({ q, k, v, bias }) => attention(q, k, v, { bias }),
    },
  });
});

describe('reductions', () => {
  cases({
    sum: one((v) => r.reduceSum(v, [1], true)),
    'sum of all': one((v) => r.reduceSum(v)),
    mean: one((v) => r.reduceMean(v, [0, 2])),
    maximum: one((v) => r.reduceMax(v, [1])),
    minimum: one((v) => r.reduceMin(v, [2], true)),
    'sum of squares': one((v) => r.reduceSumSquare(v, [1, 2])),
    'argument of the maximum carries nothing': one((v) =>
      m.mul(r.reduceSum(v, [1]), m.cast(r.argMax(v, 1), 'float32')),
    ),
  });
});

describe('layout', () => {
  cases({
    reshape: one((v) => l.reshape(v, [4, -1])),
    flatten: one((v) => v.graph.node('Flatten', [v], { axis: 1 })),
    'squeeze and unsqueeze': one((v) => {
      const wide = v.graph.node('Unsqueeze', [v, ints(v, [0, 2])]);
      return v.graph.node('Squeeze', [wide, ints(v, [0])]);
    }),
    transpose: one((v) => l.transpose(v, [2, 0, 1])),
    concat: two((v, w) => l.concat([v, w, v], 1), [2, 3, 2], [2, 1, 2]),
    split: one((v) => {
      const [first, , last] = l.split(v, [1, 2, 1], 2);
      return m.mul(first, m.exp(last));
    }),
    slice: one((v) => l.slice(v, 2, 1, 3)),
    'slice with a step': one((v) => l.slice(v, 0, 1, 8, 3), [9, 2]),
    'slice backwards': one((v) => l.flip(v, [0, 2])),
    'slice backwards with a step': one((v) => l.slice(v, 0, 7, 0, -2), [9, 2]),
    'pad with zeros': one((v) => l.pad(v, [0, 1, 2], [1, 0, 3])),
    'pad with a number, cut': one((v) => l.pad(v, [0, 1, -1], [1, -1, 2], 'constant', 1.5)),
    'pad by reflection': one((v) => l.pad(v, [0, 2, 1], [0, 1, 3], 'reflect')),
    'pad by the edge': one((v) => l.pad(v, [1, 2, 0], [0, 1, 3], 'edge')),
    expand: one((v) => l.expand(v, [2, 3, 4]), [3, 1]),
    tile: one((v) => l.tile(v, [2, 3]), [2, 3]),
    gather: one((v) => l.gather(v, ints(v, [2, 0, 2, 1]), 1)),
    'gather of a table': one((v) => l.gather(v, l.reshape(ints(v, [2, 0, 2, 1]), [2, 2])), [4, 3]),
    'gather elements': one(
      (v) =>
        v.graph.node('GatherElements', [v, v.graph.constant(tensorOf('int64', [2, 2], [2, 0, 1, 1]))], { axis: 1 }),
      [2, 3],
    ),
    'scatter elements': two(
      (v, w) =>
        v.graph.node('ScatterElements', [v, v.graph.constant(tensorOf('int64', [2, 2], [2, 0, 1, 2])), w], { axis: 1 }),
      [2, 3],
      [2, 2],
    ),
    'scatter rows': two(
      (v, w) =>
        v.graph.node('ScatterND', [v, v.graph.constant(tensorOf('int64', [2, 1], [2, 2])), w], { reduction: 'add' }),
      [3, 2],
      [2, 2],
    ),
    'zeros between elements': one((v) => l.zeroInsert(v, [1, 2], [2, 3])),
    'pixel shuffle 2-D': one((v) => l.pixelShuffle(v, [2, 3]), [1, 12, 2, 2]),
    'pixel shuffle 3-D': one((v) => l.pixelShuffle(v, [2, 1, 2]), [1, 8, 2, 3, 2]),
  });
});

describe('the tables', () => {
  it('every operator with a derivative is one of those checked, here or with the convolutions', () => {
    const elsewhere = ['Conv', 'ConvTranspose'];
    // Answer truth values or whole numbers, or make nothing from inputs: there is no derivative to check.
    const flat = ['Ceil', 'Round', 'Xor', 'Mod', 'BitwiseAnd', 'BitwiseXor', 'GreaterOrEqual'];
    const missing = Object.keys(gradientRules).filter((o) => ![...seen, ...elsewhere, ...flat].includes(o));
    expect(missing).toEqual([]);
  });
});
