/** Derivatives of what moves elements about: the same move backwards, with sums where elements were used twice. */
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { concat, filled, flip, pad, reshape, slice, transpose, zeroInsert } from '../layers/layout.js';
import { alongAxis } from '../layers/matrix.js';
import { reduceSum, sumTo } from '../layers/reductions.js';
import { cutsOf, orderOf, padsOf } from '../shapes/layout.js';
import { range } from '../tensor/shape.js';
import type { GradientRule, GradientRules } from './rule.js';

const reshaped: GradientRule = ({ node, dy }) => [reshape(dy, node.input(0).shape)];

const transposed: GradientRule = ({ node, dy }) => {
  const order = orderOf(node);
  return [
    transpose(
      dy,
      order.map((_, axis) => order.indexOf(axis)),
    ),
  ];
};

const joined: GradientRule = ({ node, dy, wants }) => {
  const axis = node.axis(node.number('axis'), dy.shape.length);
  let end = 0;
  return node.inputs.map((_, i) => {
    const start = end;
    end += node.input(i).shape[axis];
    return wants(i) ? slice(dy, axis, start, end) : undefined;
  });
};

const divided: GradientRule = ({ node, dys }) => {
  const like = dys.find((dy) => dy !== undefined);
  const axis = node.axis(node.number('axis', 0), node.input(0).shape.length);
  return [
    like &&
      concat(
        node.outputs.map(({ shape }, i) => dys[i] ?? filled(like, shape, 0)),
        axis,
      ),
  ];
};

/** Zeros where nothing was taken. */
const cut: GradientRule = ({ node, dy }) => {
  const { shape } = node.input(0);
  const cuts = cutsOf(node);
  const forward = flip(
    dy,
    cuts.filter(({ step }) => step < 0).map(({ axis }) => axis),
  );
  const spread = zeroInsert(
    forward,
    cuts.map(({ axis }) => axis),
    cuts.map(({ step }) => Math.abs(step)),
  );
  const before = shape.map(() => 0);
  for (const { axis, start, count, step } of cuts) before[axis] = step > 0 ? start : start + (count - 1) * step;
  // Zeros behind the last element may reach beyond the input: then they are cut off.
  const after = shape.map((n, axis) => n - before[axis] - spread.shape[axis]);
  return [pad(spread, before, after)];
};

const padded: GradientRule = ({ node, dy }) => {
  const pads = padsOf(node);
  const mode = node.text('mode', 'constant');
  if (mode === 'constant')
    return [
      pad(
        dy,
        pads.map(([before]) => -before),
        pads.map(([, after]) => -after),
      ),
    ];
  return [
    pads.reduce(
      (g, [before, after], axis) => (before === 0 && after === 0 ? g : foldBack(g, node, axis, before, after)),
      dy,
    ),
  ];
};

/** Adjoint of repeating or mirroring the border along an axis: each source element gets all its copies. */
function foldBack(dy: Value, node: Node, axis: number, before: number, after: number): Value {
  const size = node.input(0).shape[axis];
  const source = (i: number): number => {
    const inside = Math.min(Math.max(i, 0), size - 1);
    if (node.text('mode', 'constant') === 'edge' || inside === i) return inside;
    return i < 0 ? -i : 2 * (size - 1) - i;
  };
  const matrix = range(0, size).map((to) => range(-before, size + after).map((i) => (source(i) === to ? 1 : 0)));
  return alongAxis(dy, axis, matrix, 'border_matrix');
}

/** Each axis was written `times` times, one copy after the other. */
const tiled: GradientRule = ({ node, dy }) => {
  const { shape } = node.input(0);
  const times = node.constant(1);
  const parts = reshape(
    dy,
    shape.flatMap((n, i) => [times[i], n]),
  );
  return [
    reshape(
      reduceSum(
        parts,
        shape.map((_, i) => 2 * i),
      ),
      shape,
    ),
  ];
};

export const layoutGradients: GradientRules = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: transposed,
  Concat: joined,
  Split: divided,
  Slice: cut,
  Pad: padded,
  Expand: ({ node, dy }) => [sumTo(dy, node.input(0).shape)],
  Tile: tiled,
};
