/** Numbers with a type and a shape, in C order: constants of graphs, weights, inputs and outputs of runs. */
import { GraphError } from '../errors/graph-error.js';
import { type ArrayOf, arrayTypes, type DType, type TensorData } from './dtype.js';
import { halfFromNumber, numberFromHalf } from './float16.js';
import { type Shape, showShape, sizeOf } from './shape.js';

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: ArrayOf[D];
}

/** Wraps `data` without a copy. Throws GraphError `wrong-shape` unless it holds as many elements as the shape says. */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: ArrayOf[D]): Tensor<D> {
  if (!(data instanceof arrayTypes[dtype]))
    throw new GraphError('wrong-type', `A tensor of ${dtype} is held in ${arrayTypes[dtype].name}`);
  if (data.length !== sizeOf(shape))
    throw new GraphError('wrong-shape', `${data.length} elements do not fill the shape ${showShape(shape)}`);
  return { dtype, shape: [...shape], data };
}

/** From plain numbers, rounded to the type. */
export function tensorOf(dtype: DType, shape: Shape, numbers: ArrayLike<number>): Tensor {
  const data = new arrayTypes[dtype](sizeOf(shape));
  if (numbers.length !== data.length)
    throw new GraphError('wrong-shape', `${numbers.length} numbers do not fill the shape ${showShape(shape)}`);
  if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(Math.trunc(numbers[i]));
  else if (dtype === 'float16') for (let i = 0; i < data.length; i++) data[i] = halfFromNumber(numbers[i]);
  else data.set(numbers as ArrayLike<number> as number[]);
  return { dtype, shape: [...shape], data: data as TensorData };
}

export const scalar = (dtype: DType, value: number): Tensor => tensorOf(dtype, [], [value]);

/** A vector of int64, as ONNX wants shapes, axes and pads. */
export const int64s = (numbers: readonly number[]): Tensor => tensorOf('int64', [numbers.length], numbers);

/** All elements as JavaScript numbers. */
export function numbersOf(value: Tensor): number[] {
  if (value.data instanceof BigInt64Array) return Array.from(value.data, Number);
  if (value.dtype === 'float16') return Array.from(value.data as Uint16Array, numberFromHalf);
  return Array.from(value.data as Float32Array);
}

/** The bytes of the elements, little endian, without a copy. */
export const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
