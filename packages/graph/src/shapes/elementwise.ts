/** Operators that work element by element, with NumPy's broadcasting where there are several inputs. */
import type { Node } from '../graph/node.js';
import { dtypeOfCode } from '../tensor/onnx-types.js';
import { broadcast, type Shape, showShape } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';

const unary: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  return [{ dtype, shape }];
};

const real: ShapeRule = (node) => [{ dtype: node.floatType(0), shape: node.input(0).shape }];

const broadcasted = (node: Node): Shape => {
  const shapes = node.inputs.map((_, i) => node.input(i).shape);
  return (
    broadcast(...shapes) ?? node.fail('wrong-shape', `${shapes.map(showShape).join(' and ')} do not broadcast together`)
  );
};

const joint: ShapeRule = (node) => [{ dtype: node.commonType(), shape: broadcasted(node) }];

const pair: ShapeRule = (node) => {
  node.input(1);
  return joint(node);
};

const comparison: ShapeRule = (node) => {
  node.input(1);
  node.commonType();
  return [{ dtype: 'bool', shape: broadcasted(node) }];
};

const logical: ShapeRule = (node) => {
  node.input(1);
  if (node.commonType() !== 'bool') node.fail('wrong-type', 'works on truth values');
  return [{ dtype: 'bool', shape: broadcasted(node) }];
};

const prelu: ShapeRule = (node) => {
  const { shape } = node.input(0);
  const joint = broadcasted(node);
  if (joint.length !== shape.length || joint.some((n, i) => n !== shape[i]))
    node.fail('wrong-shape', `a slope of ${showShape(node.input(1).shape)} does not fit ${showShape(shape)}`);
  return [{ dtype: node.floatType(), shape }];
};

const where: ShapeRule = (node) => {
  if (node.input(0).dtype !== 'bool') node.fail('wrong-type', 'the condition is no truth value');
  return [{ dtype: node.commonType(1, 2), shape: broadcasted(node) }];
};

const cast: ShapeRule = (node) => {
  const code = node.number('to');
  const dtype = dtypeOfCode(code) ?? node.fail('wrong-type', `ONNX type ${code} is not supported`);
  return [{ dtype, shape: node.input(0).shape }];
};

const clip: ShapeRule = (node) => [{ dtype: node.commonType(), shape: node.input(0).shape }];

const every = <T>(names: string, rule: T): Record<string, T> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

export const elementwiseShapes: ShapeRules = {
  ...every('Identity Neg Abs Sign Not', unary),
  ...every(
    'Exp Log Sqrt Reciprocal Relu LeakyRelu Elu Sigmoid Tanh Softplus Erf Mish HardSigmoid HardSwish Sin Cos Floor Ceil Round',
    real,
  ),
  ...every('Add Sub Mul Div Pow Mod BitwiseAnd BitwiseXor', pair),
  ...every('Max Min Sum', joint),
  ...every('Greater Less GreaterOrEqual LessOrEqual Equal', comparison),
  ...every('And Or Xor', logical),
  PRelu: prelu,
  Where: where,
  Cast: cast,
  Clip: clip,
};
