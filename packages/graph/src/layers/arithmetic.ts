/** Arithmetic, comparison and choice, with NumPy's broadcasting. Plain numbers become constants of the other operand's type. */
import { GraphError } from '../errors/graph-error.js';
import type { Value } from '../graph/value.js';
import type { DType } from '../tensor/dtype.js';
import { codeOfDtype } from '../tensor/onnx-types.js';
import { scalar } from '../tensor/tensor.js';

export type Operand = Value | number;

/** A number as a constant next to `like`: same graph, same type. */
export const constantLike = (like: Value, value: number): Value => like.graph.constant(scalar(like.dtype, value));

/** Both operands as values; at least one must be one. */
function lift(a: Operand, b: Operand): [Value, Value] {
  if (typeof a !== 'number') return [a, typeof b === 'number' ? constantLike(a, b) : b];
  if (typeof b !== 'number') return [constantLike(b, a), b];
  throw new GraphError('wrong-type', `${a} and ${b} are plain numbers: one operand must be a value of a graph`);
}

const binary =
  (operator: string) =>
  (a: Operand, b: Operand): Value => {
    const [left, right] = lift(a, b);
    return left.graph.node(operator, [left, right]);
  };

const unary =
  (operator: string) =>
  (x: Value): Value =>
    x.graph.node(operator, [x]);

export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
export const pow = binary('Pow');
/** Remainder of whole numbers, with the sign of the divisor. */
export const mod = binary('Mod');
export const maximum = binary('Max');
export const minimum = binary('Min');
export const greater = binary('Greater');
export const less = binary('Less');
export const greaterOrEqual = binary('GreaterOrEqual');
export const lessOrEqual = binary('LessOrEqual');
export const equal = binary('Equal');
export const and = binary('And');
export const or = binary('Or');
export const bitwiseXor = binary('BitwiseXor');
export const bitwiseAnd = binary('BitwiseAnd');

export const neg = unary('Neg');
export const abs = unary('Abs');
export const sign = unary('Sign');
export const exp = unary('Exp');
export const log = unary('Log');
export const sqrt = unary('Sqrt');
export const reciprocal = unary('Reciprocal');
export const erf = unary('Erf');
export const sin = unary('Sin');
export const cos = unary('Cos');
export const floor = unary('Floor');
export const not = unary('Not');
export const identity = unary('Identity');

export const square = (x: Value): Value => mul(x, x);

/** The sum of one or more values; broadcasts. */
export const sum = (first: Value, ...rest: readonly Value[]): Value =>
  rest.length === 0 ? first : rest.length === 1 ? add(first, rest[0]) : first.graph.node('Sum', [first, ...rest]);

/** `yes` where `condition` is true, else `no`. */
export function where(condition: Value, yes: Operand, no: Operand): Value {
  const [a, b] = lift(yes, no);
  return condition.graph.node('Where', [condition, a, b]);
}

/** Bounds may be left out. */
export const clip = (x: Value, low?: number, high?: number): Value =>
  x.graph.node('Clip', [
    x,
    low === undefined ? undefined : constantLike(x, low),
    high === undefined ? undefined : constantLike(x, high),
  ]);

/** `x` in another type; the same value if it has it. */
export const cast = (x: Value, to: DType): Value =>
  x.dtype === to ? x : x.graph.node('Cast', [x], { to: codeOfDtype(to) });
