/** Operators that pick or place elements by integer indexes. */
import type { Node } from '../graph/node.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';

const integers = (node: Node, index: number): readonly number[] => {
  const { dtype, shape } = node.input(index);
  if (dtype !== 'int64' && dtype !== 'int32') node.fail('wrong-type', `indexes are whole numbers, not ${dtype}`);
  return shape;
};

const gather: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const axis = node.axis(node.number('axis', 0), shape.length);
  return [{ dtype, shape: [...shape.slice(0, axis), ...integers(node, 1), ...shape.slice(axis + 1)] }];
};

const gatherElements: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const indexes = integers(node, 1);
  node.axis(node.number('axis', 0), shape.length);
  if (indexes.length !== shape.length)
    node.fail('wrong-rank', `${showShape(indexes)} has not as many axes as ${showShape(shape)}`);
  return [{ dtype, shape: indexes }];
};

const scatterElements: ShapeRule = (node) => {
  const { shape } = node.input(0);
  if (!sameShape(integers(node, 1), node.input(2).shape) || node.input(2).shape.length !== shape.length)
    node.fail('wrong-shape', `indexes ${showShape(node.input(1).shape)} and updates ${showShape(node.input(2).shape)}`);
  return [{ dtype: node.commonType(0, 2), shape }];
};

const scatterNd: ShapeRule = (node) => {
  const { shape } = node.input(0);
  const indexes = integers(node, 1);
  const depth = indexes[indexes.length - 1];
  if (!sameShape(node.input(2).shape, [...indexes.slice(0, -1), ...shape.slice(depth)]))
    node.fail('wrong-shape', `updates of ${showShape(node.input(2).shape)} do not fit indexes ${showShape(indexes)}`);
  return [{ dtype: node.commonType(0, 2), shape }];
};

export const indexingShapes: ShapeRules = {
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
};
