/**
 * The gradient of a convolution's weights: for each offset of the kernel, the product of the output's gradient with the input
 * shifted by that offset, over all positions. Products run at the speed of matrices; ONNX Runtime's convolution with a
 * kernel as large as the image, the textbook form, is two to four times slower (figures: README).
 */
import type { Value } from '../graph/value.js';
import { concat, pad, reshape, slices, transposeLast } from '../layers/layout.js';
import { gemm, matMul } from '../layers/matrix.js';
import { reduceSum } from '../layers/reductions.js';
import { range, sizeOf } from '../tensor/shape.js';

export interface WeightGradientOptions {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding in front of each axis. */
  readonly before: readonly number[];
  readonly groups: number;
}

/** x [batch, in, space…], dy [batch, out, positions…]; answers [out, in / groups, kernel…]. */
export function weightGradient(x: Value, dy: Value, options: WeightGradientOptions): Value {
  const { kernel, strides, dilations, before, groups } = options;
  const [batch, outputs, ...positions] = dy.shape;
  const inputs = x.shape[1] / groups;
  const count = sizeOf(positions);
  // Exactly as far as the last window reaches: padding behind, or elements that no window touches cut off.
  const after = positions.map(
    (n, i) => (n - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - before[i] - x.shape[2 + i],
  );
  const padded = pad(x, [0, 0, ...before], [0, 0, ...after]);
  const rows = reshape(dy, groups === 1 ? [batch, outputs, count] : [batch, groups, outputs / groups, count]);
  const products = offsets(kernel).map((offset) => {
    const shifted = slices(
      padded,
      offset.map((k, i) => ({
        axis: 2 + i,
        start: k * dilations[i],
        end: k * dilations[i] + (positions[i] - 1) * strides[i] + 1,
        step: strides[i],
      })),
    );
    return product(rows, reshape(shifted, [...rows.shape.slice(0, -2), inputs, count]));
  });
  // Each [out, in]; side by side [out, in, offsets].
  const columns = products.map((value) => reshape(value, [outputs, inputs, 1]));
  return reshape(concat(columns, 2), [outputs, inputs, ...kernel]);
}

/** Σ over the batch of a · bᵀ. */
function product(a: Value, b: Value): Value {
  if (a.shape.length === 3 && a.shape[0] === 1)
    return gemm(reshape(a, a.shape.slice(1)), reshape(b, b.shape.slice(1)), { transB: true });
  return reduceSum(matMul(a, transposeLast(b)), [0]);
}

/** All offsets of a kernel in C order. */
function offsets(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>(
    (all, n) => all.flatMap((offset) => range(0, n).map((k) => [...offset, k])),
    [[]],
  );
}
