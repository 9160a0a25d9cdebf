/** Derivatives of pooling and resizing. */
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { add, div, mul } from '../layers/arithmetic.js';
import { expand, filled, pad, reshape, slices, zeroInsert } from '../layers/layout.js';
import { alongAxis } from '../layers/matrix.js';
import { reduceSum } from '../layers/reductions.js';
import { resizeMatrix } from '../layers/resize-matrix.js';
import { windowOf } from '../shapes/windows.js';
import { range, sizeOf } from '../tensor/shape.js';
import { tensorOf } from '../tensor/tensor.js';
import type { GradientRule, GradientRules } from './rule.js';

const windowOfPool = (node: Node) => windowOf(node, node.input(0).shape.slice(2), node.ints('kernel_shape'));

/** Each gradient goes back to where its maximum was found (the first, on ties: as PyTorch). */
const maxPool: GradientRule = ({ node, dy }) => {
  const x = node.input(0);
  const indexes =
    node.outputs[1] ?? x.graph.apply('MaxPool', [x], node.attributes, { outputs: 2, name: 'maxpool_indexes' })[1];
  const total = sizeOf(x.shape);
  const scattered = x.graph.node(
    'ScatterElements',
    [filled(dy, [total], 0), reshape(indexes, [sizeOf(dy.shape)]), reshape(dy, [sizeOf(dy.shape)])],
    { axis: 0, reduction: overlaps(node) ? 'add' : 'none' },
  );
  return [reshape(scattered, x.shape)];
};

const overlaps = (node: Node): boolean => {
  const { kernel, strides, dilations } = windowOfPool(node);
  return kernel.some((k, i) => dilations[i] > 1 || k > strides[i]);
};

/**
 * Each element gets the sum of the gradients of the windows it lies in, divided by how many elements each window counted.
 * Windows side by side: every element lies in one. Otherwise the sums are an average pooling of the gradient with zeros
 * between its elements.
 */
const averagePool: GradientRule = ({ node, dy }) => {
  const x = node.input(0);
  const spatial = x.shape.slice(2);
  const { kernel, strides, pads, dilations } = windowOfPool(node);
  if (dilations.some((n) => n !== 1) || node.number('ceil_mode', 0) === 1)
    node.fail('no-gradient', 'no derivative with dilation or ceil_mode', 'Pad the input instead');
  const d = spatial.length;
  const axes = range(2, 2 + d);
  const sideBySide = pads.every((n) => n === 0) && kernel.every((k, i) => k === strides[i]);
  if (sideBySide) {
    const share = div(dy, sizeOf(kernel));
    const covered = repeat(share, kernel);
    return [pad(covered, [0, 0, ...spatial.map(() => 0)], [0, 0, ...spatial.map((n, i) => n - covered.shape[2 + i])])];
  }
  const counted =
    node.number('count_include_pad', 0) === 1 ? undefined : windowCounts(spatial, dy.shape.slice(2), node);
  // AveragePool divides by the kernel: what each window really counted is put right here.
  const scaled = counted
    ? mul(
        dy,
        dy.graph.constant(
          tensorOf(
            dy.dtype,
            [1, 1, ...dy.shape.slice(2)],
            counted.map((n) => sizeOf(kernel) / n),
          ),
        ),
      )
    : dy;
  const wide = zeroInsert(scaled, axes, strides);
  const front = kernel.map((k, i) => k - 1 - pads[i]);
  const back = spatial.map((n, i) => n + kernel[i] - 1 - front[i] - wide.shape[2 + i]);
  const surrounded = pad(wide, [0, 0, ...front], [0, 0, ...back]);
  return [
    surrounded.graph.node('AveragePool', [surrounded], {
      kernel_shape: kernel,
      strides: kernel.map(() => 1),
      pads: [...kernel, ...kernel].map(() => 0),
      count_include_pad: 1,
    }),
  ];
};

/** Every element repeated `factors` times along the spatial axes: nearest-neighbour upsampling by reshape and expand. */
function repeat(x: Value, factors: readonly number[]): Value {
  const [batch, channels, ...spatial] = x.shape;
  const pairs = spatial.flatMap((n, i) => [n, factors[i]]);
  const spread = reshape(x, [batch, channels, ...spatial.flatMap((n) => [n, 1])]);
  return reshape(expand(spread, [batch, channels, ...pairs]), [
    batch,
    channels,
    ...spatial.map((n, i) => n * factors[i]),
  ]);
}

/** How many real elements each window covers, in C order. */
function windowCounts(spatial: readonly number[], positions: readonly number[], node: Node): number[] {
  const { kernel, strides, pads } = windowOfPool(node);
  return positions.reduce<number[]>(
    (all, n, i) => {
      const along = range(0, n).map((p) => {
        const start = p * strides[i] - pads[i];
        return Math.min(start + kernel[i], spatial[i]) - Math.max(start, 0);
      });
      return all.flatMap((before) => along.map((count) => before * count));
    },
    [1],
  );
}

const globalAverage: GradientRule = ({ node, dy }) => {
  const { shape } = node.input(0);
  return [expand(div(dy, sizeOf(shape.slice(2))), shape)];
};

/**
 * Resizing is a matrix along each axis, its derivative the transposed ones. Nearest by a whole factor is a sum over
 * blocks; linear by 2 takes three slices and sums instead of a product with a matrix that is nearly all zeros.
 */
const resize: GradientRule = ({ node, dy }) => {
  const x = node.input(0);
  const factors = x.shape.map((n, i) => dy.shape[i] / n);
  const coordinates = node.text('coordinate_transformation_mode', 'half_pixel');
  const blocks = node.text('mode', 'nearest') === 'nearest' && factors.every(Number.isInteger);
  if (blocks && (coordinates === 'asymmetric' || coordinates === 'half_pixel')) {
    const parts = reshape(
      dy,
      x.shape.flatMap((n, i) => [n, factors[i]]),
    );
    return [
      reshape(
        reduceSum(
          parts,
          range(0, x.shape.length).map((i) => 2 * i + 1),
        ),
        x.shape,
      ),
    ];
  }
  return [
    x.shape.reduce((g, n, axis) => {
      if (factors[axis] === 1) return g;
      if (node.text('mode', 'nearest') === 'linear' && coordinates === 'half_pixel' && factors[axis] === 2 && n > 1)
        return doubledBack(g, axis);
      const matrix = resizeMatrix(node, axis);
      const transposed = range(0, n).map((i) => matrix.map((row) => row[i]));
      return alongAxis(g, axis, transposed, 'resize_matrix');
    }, dy),
  ];
};

/** Adjoint of linear doubling along an axis: x[i] has weights ¼ ¾ ¾ ¼ at 2i−1 … 2i+2, and the ends count for what lies beyond them. */
function doubledBack(dy: Value, axis: number): Value {
  const rank = dy.shape.length;
  const one = range(0, rank).map((i) => (i === axis ? 1 : 0));
  const edges = pad(dy, one, one, 'edge');
  const size = edges.shape[axis];
  const every = (start: number, end: number) => slices(edges, [{ axis, start, end, step: 2 }]);
  const outer = add(every(0, size - 3), every(3, size));
  const inner = add(every(1, size - 2), every(2, size - 1));
  return add(mul(outer, 0.25), mul(inner, 0.75));
}

export const poolingGradients: GradientRules = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAverage,
  Resize: resize,
};
