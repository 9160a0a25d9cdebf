/** Layers against PyTorch in double precision, where Python with torch is at hand (ISOCENTER_PYTHON). */
import { it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { buildCheck, type Check, compare } from '../evaluate/check.suite.js';
import { evaluate } from '../evaluate/evaluate.suite.js';
import { randomFrom } from '../evaluate/random.suite.js';
import { askTorch } from '../evaluate/torch.suite.js';
import type { Value } from '../graph/value.js';
import * as a from '../layers/activations.js';
import * as m from '../layers/arithmetic.js';
import { attention } from '../layers/attention.js';
import { conv, convTranspose } from '../layers/convolution.js';
import * as l from '../layers/layout.js';
import * as matrix from '../layers/matrix.js';
import * as n from '../layers/normalization.js';
import * as p from '../layers/pooling.js';
import * as r from '../layers/reductions.js';
import { resize, upsample } from '../layers/resize.js';
import { int64s } from '../tensor/tensor.js';

/** Both compute in doubles, but constants in our graphs (a third, a weight of interpolation) are float32. */
const TOLERANCE = 2e-7;

const running = (v: Value) => ({
  runningMean: v.graph.parameter('running_mean', [v.shape[1]], { trainable: false }),
  runningVariance: v.graph.parameter('running_var', [v.shape[1]], { trainable: false }),
});

type Case = readonly [torch: string, inputs: Check['inputs'], build: Check['build'], place?: Check['place']];
const positive = (v: number) => Math.abs(v) + 0.5;
const image = { x: [2, 4, 6, 5] };
const affine = { x: [2, 4, 3, 5], w: [4], b: [4] };

const cases: readonly Case[] = [
  [
    'F.conv2d(x, w, b, stride=2, padding=1, dilation=2, groups=2)',
    { x: [2, 4, 9, 8], w: [6, 2, 3, 3], b: [6] },
    ({ x, w, b }) => conv(x, w, { bias: b, stride: 2, padding: 1, dilation: 2, groups: 2 }),
  ],
  [
    'F.conv3d(x, w, b, padding=1)',
    { x: [2, 2, 4, 3, 5], w: [3, 2, 3, 3, 3], b: [3] },
    ({ x, w, b }) => conv(x, w, { bias: b, padding: 1 }),
  ],
  [
    'F.conv3d(x, w, stride=(1,2,2), padding=(0,1,1))',
    { x: [1, 2, 3, 6, 5], w: [3, 2, 1, 3, 3] },
    ({ x, w }) => conv(x, w, { stride: [1, 2, 2], padding: [0, 1, 1] }),
  ],
  [
    'F.conv_transpose3d(x, w, b, stride=2, padding=1)',
    { x: [1, 4, 2, 3, 2], w: [4, 2, 4, 4, 4], b: [2] },
    ({ x, w, b }) => convTranspose(x, w, { bias: b, stride: 2, padding: 1 }),
  ],
  [
    'F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1, groups=2)',
    { x: [2, 4, 3, 4], w: [4, 3, 3, 3], b: [6] },
    ({ x, w, b }) => convTranspose(x, w, { bias: b, stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
  ],
  [
    'F.conv_transpose2d(x, w, stride=3, padding=2, dilation=2)',
    { x: [1, 2, 3, 4], w: [2, 3, 3, 2] },
    ({ x, w }) => convTranspose(x, w, { stride: 3, padding: 2, dilation: 2 }),
  ],
  ['F.max_pool2d(x, 3, 2, 1)', image, ({ x }) => p.maxPool(x, 3, { stride: 2, padding: 1 })],
  ['F.max_pool2d(F.relu(x), 2)', image, ({ x }) => p.maxPool(a.relu(x), 2)],
  ['F.max_pool2d(x, 3, 2, 0, ceil_mode=True)', image, ({ x }) => p.maxPool(x, 3, { stride: 2, ceil: true })],
  ['F.avg_pool2d(x, 3, 2, 1)', image, ({ x }) => p.averagePool(x, 3, { stride: 2, padding: 1 })],
  [
    'F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)',
    image,
    ({ x }) => p.averagePool(x, 3, { stride: 2, padding: 1, countPadding: false }),
  ],
  ['F.adaptive_avg_pool2d(x, (4, 2))', image, ({ x }) => p.adaptiveAveragePool(x, [4, 2])],
  ['F.adaptive_max_pool2d(x, (4, 2))', image, ({ x }) => p.adaptiveMaxPool(x, [4, 2])],
  ['F.interpolate(x, scale_factor=2)', image, ({ x }) => upsample(x, 2)],
  ['F.interpolate(x, size=(9, 4))', image, ({ x }) => resize(x, [9, 4])],
  ["F.interpolate(x, scale_factor=2, mode='bilinear')", image, ({ x }) => upsample(x, 2, { mode: 'linear' })],
  ["F.interpolate(x, size=(9, 4), mode='bilinear')", image, ({ x }) => resize(x, [9, 4], { mode: 'linear' })],
  [
    "F.interpolate(x, size=(7, 4, 6), mode='trilinear', align_corners=True)",
    { x: [1, 2, 4, 3, 3] },
    ({ x }) => resize(x, [7, 4, 6], { mode: 'linear', alignCorners: true }),
  ],
  ['F.instance_norm(x, weight=w, bias=b)', affine, ({ x, w, b }) => n.instanceNorm(x, { weight: w, bias: b })],
  ['F.group_norm(x, 2, w, b)', affine, ({ x, w, b }) => n.groupNorm(x, 2, { weight: w, bias: b })],
  [
    'F.batch_norm(x, None, None, w, b, training=True)',
    affine,
    ({ x, w, b }) => n.batchNorm(x, { weight: w, bias: b, ...running(x) }),
  ],
  [
    'F.layer_norm(x, (5,), w, b)',
    { x: [2, 3, 5], w: [5], b: [5] },
    ({ x, w, b }) => n.layerNorm(x, { weight: w, bias: b }),
  ],
  ['F.prelu(x, w)', { x: [2, 4, 3], w: [4] }, ({ x, w }) => a.prelu(x, l.reshape(w, [4, 1]))],
  ['F.leaky_relu(x, 0.1)', image, ({ x }) => a.leakyRelu(x, 0.1)],
  ['F.elu(x, 1.5)', image, ({ x }) => a.elu(x, 1.5)],
  ['F.gelu(x)', image, ({ x }) => a.gelu(x)],
  ["F.gelu(x, approximate='tanh')", image, ({ x }) => a.gelu(x, 'tanh')],
  ['F.silu(x)', image, ({ x }) => a.swish(x)],
  ['F.mish(x)', image, ({ x }) => a.mish(x)],
  ['F.softplus(x)', image, ({ x }) => a.softplus(x)],
  ['F.hardswish(x)', image, ({ x }) => x.graph.node('HardSwish', [x])],
  ['F.logsigmoid(x)', image, ({ x }) => a.logSigmoid(x)],
  ['torch.softmax(x, 1)', image, ({ x }) => a.softmax(x)],
  ['F.log_softmax(x, 1)', image, ({ x }) => a.logSoftmax(x)],
  [
    'torch.erf(x) * torch.sigmoid(x) + torch.tanh(x) * torch.exp(x)',
    image,
    ({ x }) => m.add(m.mul(m.erf(x), a.sigmoid(x)), m.mul(a.tanh(x), m.exp(x))),
  ],
  [
    'torch.log(x) ** y / torch.sqrt(y)',
    { x: [3, 4], y: [4] },
    ({ x, y }) => m.div(m.pow(m.log(x), y), m.sqrt(y)),
    (v) => positive(v) + 1,
  ],
  ['torch.clamp(x, -0.5, 0.8)', image, ({ x }) => m.clip(x, -0.5, 0.8)],
  [
    'torch.maximum(x, y) * torch.minimum(x, y).abs()',
    { x: [3, 4], y: [4] },
    ({ x, y }) => m.mul(m.maximum(x, y), m.abs(m.minimum(x, y))),
  ],
  ['torch.where(x > y, x * y, y)', { x: [3, 4], y: [4] }, ({ x, y }) => m.where(m.greater(x, y), m.mul(x, y), y)],
  ['x.amax((2, 3))', image, ({ x }) => r.reduceMax(x, [2, 3])],
  ['F.relu(x).amax(1)', image, ({ x }) => r.reduceMax(a.relu(x), [1])],
  [
    'x.mean((0, 2)) + x.pow(2).sum((0, 2))',
    image,
    ({ x }) => m.add(r.reduceMean(x, [0, 2]), r.reduceSumSquare(x, [0, 2])),
  ],
  ['F.linear(x, w, b)', { x: [2, 3, 4], w: [5, 4], b: [5] }, ({ x, w, b }) => matrix.linear(x, w, b)],
  ['torch.matmul(x, y)', { x: [2, 1, 3, 4], y: [5, 4, 2] }, ({ x, y }) => matrix.matMul(x, y)],
  [
    'F.scaled_dot_product_attention(q, k, v)',
    { q: [2, 2, 3, 4], k: [2, 2, 5, 4], v: [2, 2, 5, 6] },
    ({ q, k, v }) => attention(q, k, v),
  ],
  ['F.pixel_shuffle(x, 2)', { x: [1, 8, 2, 3] }, ({ x }) => l.pixelShuffle(x, [2, 2])],
  ["F.pad(x, (2, 1, 3, 0), mode='reflect')", image, ({ x }) => l.pad(x, [0, 0, 3, 2], [0, 0, 0, 1], 'reflect')],
  ["F.pad(x, (2, 1, 3, 0), mode='replicate')", image, ({ x }) => l.pad(x, [0, 0, 3, 2], [0, 0, 0, 1], 'edge')],
  [
    'F.embedding(torch.tensor([[2, 0], [2, 1]]), x)',
    { x: [4, 3] },
    ({ x }) => l.gather(x, l.reshape(x.graph.constant(int64s([2, 0, 2, 1])), [2, 2])),
  ],
  [
    'torch.cat([x, x[:, 1:3].flip(2)], 1).transpose(1, 3)',
    image,
    ({ x }) => l.transpose(l.concat([x, l.flip(l.slice(x, 1, 1, 3), [2])], 1), [0, 3, 2, 1]),
  ],
];

describeWithPython(['torch'], 'values and gradients against PyTorch', (python) => {
  it(`all ${cases.length} are equal`, () => {
    const checks = cases.map(([, inputs, build, place], i) => buildCheck({ inputs, build, place }, randomFrom(i + 1)));
    const answers = askTorch(
      python,
      cases.map(([expression], i) => ({ name: expression, expression, inputs: Object.fromEntries(checks[i].given) })),
    );
    checks.forEach(({ graph, output, given, gradients }, i) => {
      const name = cases[i][0];
      const [value, ...slopes] = evaluate(graph, given, [output, ...gradients.values()]);
      compare(value, answers[i].value, TOLERANCE, name);
      [...gradients.keys()].forEach((input, k) => {
        compare(slopes[k], answers[i].gradients[input], TOLERANCE, `d/d${input} ${name}`);
      });
    });
  });
});
