/** Norms and softmax keep the shape; what they check is their vectors. */
import type { Node } from '../graph/node.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';

const same: ShapeRule = (node) => {
  const x = node.input(0);
  node.axis(node.number('axis', -1), x.shape.length);
  return [{ dtype: node.floatType(0), shape: x.shape }];
};

const perChannel =
  (vectors: number): ShapeRule =>
  (node) => {
    const x = node.ranked(0, 2, 3, 4, 5);
    for (let i = 1; i <= vectors; i++) checkVector(node, i, x.shape[1]);
    return [{ dtype: node.floatType(), shape: x.shape }];
  };

function checkVector(node: Node, index: number, channels: number): void {
  const { name, shape } = node.input(index);
  if (shape.length !== 1 || shape[0] !== channels)
    node.fail('wrong-shape', `"${name}" (${showShape(shape)}) is not one number for each of ${channels} channels`);
}

const layer: ShapeRule = (node) => {
  const { shape } = node.input(0);
  const axis = node.axis(node.number('axis', -1), shape.length);
  for (const vector of [node.input(1), node.inputs[2]])
    if (vector && !sameShape(vector.shape, shape.slice(axis)))
      node.fail('wrong-shape', `"${vector.name}" (${showShape(vector.shape)}) is not ${showShape(shape.slice(axis))}`);
  return [{ dtype: node.floatType(), shape }];
};

export const normalizationShapes: ShapeRules = {
  Softmax: same,
  LogSoftmax: same,
  BatchNormalization: perChannel(4),
  InstanceNormalization: perChannel(2),
  LayerNormalization: layer,
};
