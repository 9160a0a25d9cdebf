/** Pooling and resizing over [batch, channels, space…]. */
import { showShape } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';
import { positions, windowOf } from './windows.js';

const pool: ShapeRule = (node) => {
  const x = node.ranked(0, 3, 4, 5);
  const spatial = x.shape.slice(2);
  const window = windowOf(node, spatial, node.ints('kernel_shape'));
  const shape = [x.shape[0], x.shape[1], ...positions(node, spatial, window, node.number('ceil_mode', 0) === 1)];
  return [
    { dtype: node.floatType(0), shape },
    { dtype: 'int64', shape },
  ];
};

const globalPool: ShapeRule = (node) => {
  const { shape } = node.ranked(0, 3, 4, 5);
  return [{ dtype: node.floatType(0), shape: [shape[0], shape[1], ...shape.slice(2).map(() => 1)] }];
};

/** Inputs: x, roi (unused), scales or sizes; both modes and the three coordinate rules that PyTorch exports. */
const resize: ShapeRule = (node) => {
  const { shape } = node.input(0);
  const sizes = node.inputs[3] ? node.constant(3) : node.constant(2).map((scale, i) => Math.floor(scale * shape[i]));
  if (sizes.length !== shape.length || sizes.some((n) => n < 1))
    node.fail('wrong-shape', `${showShape(shape)} cannot become ${showShape(sizes)}`);
  const mode = node.text('mode', 'nearest');
  if (mode !== 'nearest' && mode !== 'linear')
    node.fail('wrong-attribute', `mode ${mode} is not supported`, 'Use nearest or linear');
  return [{ dtype: node.floatType(0), shape: sizes }];
};

export const poolingShapes: ShapeRules = {
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  Resize: resize,
};
