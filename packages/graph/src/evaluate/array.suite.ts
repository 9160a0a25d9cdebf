/** Arrays of the slow evaluator: everything in double precision, whatever the type in the graph. */
import { type Shape, sizeOf, stridesOf } from '../tensor/shape.js';

export interface Arr {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export const zeros = (shape: Shape): Arr => ({ shape: [...shape], data: new Float64Array(sizeOf(shape)) });

/** Calls `visit` with each index of `shape` in C order and its position. */
export function each(shape: Shape, visit: (index: readonly number[], at: number) => void): void {
  const index = shape.map(() => 0);
  for (let at = 0; at < sizeOf(shape); at++) {
    visit(index, at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** An array made element by element. */
export function fill(shape: Shape, of: (index: readonly number[], at: number) => number): Arr {
  const out = zeros(shape);
  each(shape, (index, at) => {
    out.data[at] = of(index, at);
  });
  return out;
}

/** Element at an index of the same rank, or of a higher one that it broadcasts to; `outside` beyond the edges. */
export function read({ shape, data }: Arr, index: readonly number[], outside = Number.NaN): number {
  const strides = stridesOf(shape);
  const skip = index.length - shape.length;
  let at = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const i =
      shape[axis] === 1 && skip + axis >= 0 && index[skip + axis] >= 0
        ? Math.min(index[skip + axis], 0)
        : index[skip + axis];
    if (i < 0 || i >= shape[axis]) return outside;
    at += i * strides[axis];
  }
  return data[at];
}
