/** Derivatives of the operators that work element by element: y = f(x), written in whichever of x and y is cheaper. */
import type { Value } from '../graph/value.js';
import { sigmoid, softplus, step, tanh } from '../layers/activations.js';
import {
  add,
  and,
  cast,
  constantLike,
  cos,
  div,
  equal,
  exp,
  greater,
  greaterOrEqual,
  lessOrEqual,
  log,
  mul,
  neg,
  not,
  pow,
  sign,
  sin,
  square,
  sub,
  where,
} from '../layers/arithmetic.js';
import { sumTo } from '../layers/reductions.js';
import { numbersOf } from '../tensor/tensor.js';
import { flat, type GradientRule, type GradientRules } from './rule.js';

/** dx = dy · slope(x, y). */
const slope =
  (of: (x: Value, y: Value) => Value): GradientRule =>
  ({ node, dy }) => [mul(dy, of(node.input(0), node.output))];

/** Gradients of two operands, summed over what was broadcast. */
const operands =
  (...partials: readonly ((dy: Value, a: Value, b: Value, y: Value) => Value)[]): GradientRule =>
  ({ node, dy, wants }) =>
    partials.map((partial, i) =>
      wants(i) ? sumTo(partial(dy, node.input(0), node.input(1), node.output), node.input(i).shape) : undefined,
    );

/** The operand that won gets the gradient; on a tie each half, as in PyTorch. */
const extreme: GradientRule = ({ node, dy }) =>
  node.inputs.map((_, i) => {
    const x = node.input(i);
    const winners = node.inputs
      .map((__, k) => cast(equal(node.input(k), node.output), dy.dtype))
      .reduce((sum, hit) => add(sum, hit));
    const share = div(cast(equal(x, node.output), dy.dtype), winners);
    return sumTo(mul(dy, share), x.shape);
  });

/** d/da a^b = b · a^(b−1); for a constant exponent of 2 simply 2a. */
const power: GradientRule = ({ node, dy, wants }) => {
  const [a, b] = [node.input(0), node.input(1)];
  const exponent = b.constant && b.shape.length === 0 ? numbersOf(b.constant)[0] : undefined;
  const inner = exponent === 2 ? a : exponent === undefined ? pow(a, sub(b, 1)) : pow(a, exponent - 1);
  return [
    wants(0) ? sumTo(mul(dy, mul(inner, b)), a.shape) : undefined,
    // Where a is 0 the power is flat in its exponent.
    wants(1) ? sumTo(mul(dy, mul(node.output, log(where(greater(a, 0), a, 1)))), b.shape) : undefined,
  ];
};

const prelu: GradientRule = ({ node, dy, wants }) => {
  const [x, a] = [node.input(0), node.input(1)];
  const positive = greater(x, 0);
  return [
    wants(0) ? where(positive, dy, mul(dy, a)) : undefined,
    wants(1) ? sumTo(where(positive, 0, mul(dy, x)), a.shape) : undefined,
  ];
};

/** Inside the bounds, ends included. */
const clipped: GradientRule = ({ node, dy }) => {
  const x = node.input(0);
  const [low, high] = [node.inputs[1], node.inputs[2]];
  const inside = [low && greaterOrEqual(x, low), high && lessOrEqual(x, high)].filter((test) => test !== undefined);
  return [inside.length === 0 ? dy : where(inside.reduce(and), dy, 0)];
};

const chosen: GradientRule = ({ node, dy, wants }) => [
  undefined,
  wants(1) ? sumTo(where(node.input(0), dy, 0), node.input(1).shape) : undefined,
  wants(2) ? sumTo(where(node.input(0), 0, dy), node.input(2).shape) : undefined,
];

const mish: GradientRule = slope((x) => {
  const t = tanh(softplus(x));
  return add(t, mul(mul(x, sigmoid(x)), sub(1, square(t))));
});

/** alpha · x + beta between 0 and 1. */
const hardSigmoid: GradientRule = ({ node, dy }) => {
  const y = node.output;
  return [where(and(greater(y, 0), not(greaterOrEqual(y, 1))), mul(dy, node.number('alpha', 0.2)), 0)];
};

/** x · clip(x / 6 + 1/2, 0, 1). */
const hardSwish: GradientRule = ({ node, dy }) => {
  const x = node.input(0);
  const middle = mul(dy, add(mul(x, 1 / 3), 0.5));
  return [where(greaterOrEqual(x, 3), dy, where(greater(x, -3), middle, constantLike(dy, 0)))];
};

const none = (...operators: readonly string[]): GradientRules =>
  Object.fromEntries(operators.map((operator) => [operator, flat]));

export const elementwiseGradients: GradientRules = {
  Identity: ({ dy }) => [dy],
  Neg: ({ dy }) => [neg(dy)],
  Abs: slope((x) => sign(x)),
  Exp: slope((_, y) => y),
  Log: ({ node, dy }) => [div(dy, node.input(0))],
  Sqrt: ({ node, dy }) => [div(mul(dy, 0.5), node.output)],
  Reciprocal: slope((_, y) => neg(square(y))),
  Sin: slope((x) => cos(x)),
  Cos: slope((x) => neg(sin(x))),
  Erf: slope((x) => mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
  Relu: slope((_, y) => step(y)),
  LeakyRelu: ({ node, dy }) => [where(greater(node.input(0), 0), dy, mul(dy, node.number('alpha', 0.01)))],
  Elu: ({ node, dy }) => {
    const y = node.output;
    return [where(greater(node.input(0), 0), dy, mul(dy, add(y, node.number('alpha', 1))))];
  },
  Sigmoid: slope((_, y) => mul(y, sub(1, y))),
  Tanh: slope((_, y) => sub(1, square(y))),
  Softplus: slope((x) => sigmoid(x)),
  Mish: mish,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  PRelu: prelu,
  Add: operands(
    (dy) => dy,
    (dy) => dy,
  ),
  Sub: operands(
    (dy) => dy,
    (dy) => neg(dy),
  ),
  Mul: operands(
    (dy, _, b) => mul(dy, b),
    (dy, a) => mul(dy, a),
  ),
  Div: operands(
    (dy, _, b) => div(dy, b),
    (dy, _, b, y) => neg(div(mul(dy, y), b)),
  ),
  Sum: ({ node, dy, wants }) => node.inputs.map((_, i) => (wants(i) ? sumTo(dy, node.input(i).shape) : undefined)),
  Pow: power,
  Max: extreme,
  Min: extreme,
  Clip: clipped,
  Where: chosen,
  Cast: ({ node, dy }) => [cast(dy, node.input(0).dtype)],
  ...none('Sign', 'Floor', 'Ceil', 'Round', 'Not', 'And', 'Or', 'Xor', 'Mod', 'BitwiseAnd', 'BitwiseXor'),
  ...none('Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual', 'Equal', 'ArgMax', 'ConstantOfShape'),
};
