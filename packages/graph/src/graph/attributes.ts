/** Attributes of nodes as plain JavaScript; ONNX tells integers from reals, so the names of its real attributes stand here. */
import type { Tensor } from '../tensor/tensor.js';

export type Attribute = number | string | readonly number[] | Tensor;
export type Attributes = Readonly<Record<string, Attribute>>;

/** Every real-valued attribute (single or list) of the operators of this package; all other numbers are integers. */
export const realAttributes: ReadonlySet<string> = new Set([
  'alpha',
  'beta',
  'cubic_coeff_a',
  'epsilon',
  'extrapolation_value',
  'gamma',
  'momentum',
  'value_float',
  'value_floats',
]);
