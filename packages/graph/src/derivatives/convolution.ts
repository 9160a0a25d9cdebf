/** Derivatives of convolutions. Each is again a convolution or a matrix product: see the forms in ../layers. */
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { reduceSum } from '../layers/reductions.js';
import { transposedConvolution } from '../layers/transposed-convolution.js';
import { windowOf } from '../shapes/windows.js';
import { range } from '../tensor/shape.js';
import type { GradientRule, GradientRules } from './rule.js';
import { weightGradient } from './weight-gradient.js';

const spatialOf = (x: Value): readonly number[] => x.shape.slice(2);

const windowOfConv = (node: Node) => windowOf(node, spatialOf(node.input(0)), spatialOf(node.input(1)));

/** The sum over all but the channels. */
const biasGradient = (dy: Value): Value => reduceSum(dy, [0, ...range(2, dy.shape.length)]);

const conv: GradientRule = ({ node, dy, wants }) => {
  const [x, w] = [node.input(0), node.input(1)];
  const { strides, dilations, pads } = windowOfConv(node);
  const size = spatialOf(x);
  const groups = node.number('group', 1);
  const before = pads.slice(0, size.length);
  return [
    wants(0) ? transposedConvolution(dy, w, { strides, dilations, before, size, groups }) : undefined,
    wants(1) ? weightGradient(x, dy, { kernel: spatialOf(w), strides, dilations, before, groups }) : undefined,
    wants(2) ? biasGradient(dy) : undefined,
  ];
};

/** Its input gradient is the convolution that it transposes; its weight gradient that of the same with the parts exchanged. */
const convTranspose: GradientRule = ({ node, dy, wants }) => {
  const [x, w] = [node.input(0), node.input(1)];
  const { strides, dilations, pads } = windowOfConv(node);
  const groups = node.number('group', 1);
  const d = spatialOf(x).length;
  const before = pads.slice(0, d);
  // Output padding leaves positions behind the last window: they belong to no input.
  const after = spatialOf(x).map((n, i) => {
    const reach = (n - 1) * strides[i] + dilations[i] * (w.shape[2 + i] - 1) + 1;
    return reach - before[i] - dy.shape[2 + i];
  });
  return [
    wants(0) ? inputOfTransposed(dy, w, { strides, dilations, before, after, groups }) : undefined,
    wants(1) ? weightGradient(dy, x, { kernel: spatialOf(w), strides, dilations, before, groups }) : undefined,
    wants(2) ? biasGradient(dy) : undefined,
  ];
};

interface Adjoint {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly groups: number;
}

function inputOfTransposed(dy: Value, w: Value, { strides, dilations, before, after, groups }: Adjoint): Value {
  return dy.graph.node('Conv', [dy, w], {
    kernel_shape: spatialOf(w),
    strides,
    dilations,
    pads: [...before, ...after.map((n) => Math.max(n, 0))],
    group: groups,
  });
}

export const convolutionGradients: GradientRules = { Conv: conv, ConvTranspose: convTranspose };
