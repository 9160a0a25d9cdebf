/** Activations, as PyTorch defines and defaults them. */
import type { Value } from '../graph/value.js';
import { add, cast, erf, greater, mul, sub } from './arithmetic.js';

const simple =
  (operator: string) =>
  (x: Value): Value =>
    x.graph.node(operator, [x]);

export const relu = simple('Relu');
export const sigmoid = simple('Sigmoid');
export const tanh = simple('Tanh');
/** log(1 + eˣ). */
export const softplus = simple('Softplus');
/** x · tanh(softplus x). */
export const mish = simple('Mish');

export const leakyRelu = (x: Value, slope = 0.01): Value => x.graph.node('LeakyRelu', [x], { alpha: slope });
export const elu = (x: Value, alpha = 1): Value => x.graph.node('Elu', [x], { alpha });

/** `slope` is learned: any shape that broadcasts to x, usually [channels, 1, 1] or [1]. */
export const prelu = (x: Value, slope: Value): Value => x.graph.node('PRelu', [x, slope]);

/** x · sigmoid(x), also called SiLU. */
export const swish = (x: Value): Value => mul(x, sigmoid(x));

/** Exact (by the error function) or by PyTorch's tanh formula. ONNX Runtime fuses either into one kernel. */
export function gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
  if (approximate === 'none') return mul(mul(x, add(erf(mul(x, Math.SQRT1_2)), 1)), 0.5);
  const inner = mul(add(x, mul(mul(mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, add(tanh(inner), 1)), 0.5);
}

export const softmax = (x: Value, axis = 1): Value => x.graph.node('Softmax', [x], { axis });
export const logSoftmax = (x: Value, axis = 1): Value => x.graph.node('LogSoftmax', [x], { axis });

/** 1 where x > 0, else 0, in the type of x: the derivative of ReLU. */
export const step = (x: Value): Value => cast(greater(x, 0), x.dtype);

/** log(sigmoid(x)) without overflow: −softplus(−x). */
export const logSigmoid = (x: Value): Value => sub(0, softplus(sub(0, x)));
