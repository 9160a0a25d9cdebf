/** Matrix products. MatMul broadcasts the axes before the last two; Gemm takes two matrices. */
import { broadcast, showShape } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';

const matMul: ShapeRule = (node) => {
  const ranks = [2, 3, 4, 5, 6];
  const a = node.ranked(0, ...ranks).shape;
  const b = node.ranked(1, ...ranks).shape;
  const batch = broadcast(a.slice(0, -2), b.slice(0, -2));
  if (!batch || a[a.length - 1] !== b[b.length - 2])
    return node.fail('wrong-shape', `${showShape(a)} and ${showShape(b)} have no product`);
  return [{ dtype: node.commonType(), shape: [...batch, a[a.length - 2], b[b.length - 1]] }];
};

const gemm: ShapeRule = (node) => {
  const a = node.ranked(0, 2).shape;
  const b = node.ranked(1, 2).shape;
  const [rows, inner] = node.number('transA', 0) ? [a[1], a[0]] : a;
  const [innerB, columns] = node.number('transB', 0) ? [b[1], b[0]] : b;
  const shape = [rows, columns];
  if (inner !== innerB) node.fail('wrong-shape', `${showShape(a)} and ${showShape(b)} have no product`);
  const c = node.inputs[2];
  const joint = c && broadcast(c.shape, shape);
  if (c && (joint?.length !== 2 || joint[0] !== rows || joint[1] !== columns))
    node.fail('wrong-shape', `"${c.name}" (${showShape(c.shape)}) cannot be added to ${showShape(shape)}`);
  return [{ dtype: node.floatType(), shape }];
};

export const matrixShapes: ShapeRules = { MatMul: matMul, Gemm: gemm };
