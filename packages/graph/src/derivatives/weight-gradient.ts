/**
 * The gradient of a convolution's weights: for each offset k of the kernel, dY · Xₖᵀ over all positions, Xₖ being the input shifted
 * by k. Matrix products run at full speed; a convolution with a kernel as large as the image, the textbook form, takes two
 * to four times as long. With few channels the products are thin and the shifted copies cost more than they, so offsets
 * along the last axes are moved to the other side, where they are stacked: Σ_p dY[p] X[p + a + b] = Σ_q dY[q − b] X[q + a]. Then
 * 9 + 3 copies and 3 products of 9 times as many rows take the place of 27 + 27. Which form is used when: `stackedAxes`.
 */
import type { Value } from '../graph/value.js';
import { concat, pad, reshape, slices, transpose, transposeLast } from '../layers/layout.js';
import { gemm, matMul } from '../layers/matrix.js';
import { reduceSum } from '../layers/reductions.js';
import { bytesPerElement } from '../tensor/dtype.js';
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
  const [, outputs, ...positions] = dy.shape;
  const inputs = x.shape[1] / groups;
  // Exactly as far as the last window reaches: padding behind, or elements that no window touches cut off.
  const reach = positions.map((n, i) => (n - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1);
  const after = reach.map((n, i) => n - before[i] - x.shape[2 + i]);
  const padded = pad(x, [0, 0, ...before], [0, 0, ...after]);
  const outer = kernel.length - stackedAxes(dy, options, inputs);
  const stack = offsets(kernel.slice(outer));
  const size = [...positions.slice(0, outer), ...reach.slice(outer)];
  const steps = strides.map((s, i) => (i < outer ? s : 1));
  const rows = stacked(dy, stack, outer, options);

  const products = offsets(kernel.slice(0, outer)).map((offset) =>
    product(rows, shifted(padded, offset, size, steps, dilations), groups),
  );
  // [outer offsets, stacked offsets, out, in] → [out, in, kernel…].
  const all = products.map((value) => reshape(value, [1, stack.length, outputs, inputs]));
  return reshape(transpose(concat(all, 0), [2, 3, 0, 1]), [outputs, inputs, ...kernel]);
}

/** Above this the shifted copies cost less than the products, and stacking gains nothing. */
const CHANNELS_FOR_TWO_AXES = 64;
const CHANNELS_FOR_ONE_AXIS = 128;
/** What the stacked copies of one step may take. */
const LARGEST_STACK_BYTES = 2 ** 29;

/**
 * How many of the last axes are stacked. Measured on one thread of this machine (3 × 3 × 3, GFLOP/s with 0, 1 and 2 axes): 16
 * channels of 64³: 23, 22, 33; 32 of 32³: 35, 48, 47; 64 of 32³: 53, 57, 63; 128 of 16³: 59, 65, 50.
 */
function stackedAxes(dy: Value, { kernel, strides, dilations, groups }: WeightGradientOptions, inputs: number): number {
  const fits = (axes: number): boolean => {
    const last = range(kernel.length - axes, kernel.length);
    const copies = last.reduce((n, i) => n * kernel[i] * (1 + (dilations[i] * (kernel[i] - 1)) / dy.shape[2 + i]), 1);
    return (
      axes < kernel.length &&
      last.every((i) => strides[i] === 1) &&
      last.some((i) => kernel[i] > 1) &&
      copies * sizeOf(dy.shape) * bytesPerElement(dy.dtype) <= LARGEST_STACK_BYTES
    );
  };
  if (groups > 1) return 0;
  if (inputs <= CHANNELS_FOR_TWO_AXES && fits(2)) return 2;
  return inputs <= CHANNELS_FOR_ONE_AXIS && fits(1) ? 1 : 0;
}

/** dY once for each stacked offset, moved by it among zeros, all as channels of one tensor. */
function stacked(
  dy: Value,
  stack: readonly (readonly number[])[],
  outer: number,
  { kernel, dilations }: WeightGradientOptions,
): Value {
  const still = range(0, 2 + outer).map(() => 0);
  const move = (k: number, i: number) => k * dilations[outer + i];
  return concat(
    stack.map((offset) =>
      pad(dy, [...still, ...offset.map(move)], [...still, ...offset.map((k, i) => move(kernel[outer + i] - 1 - k, i))]),
    ),
    1,
  );
}

/** The padded input as the window's element at `offset` sees it. */
const shifted = (
  padded: Value,
  offset: readonly number[],
  size: readonly number[],
  steps: readonly number[],
  dilations: readonly number[],
): Value =>
  slices(
    padded,
    offset.map((k, i) => {
      const start = k * dilations[i];
      return { axis: 2 + i, start, end: start + (size[i] - 1) * steps[i] + 1, step: steps[i] };
    }),
  );

/** Σ over the batch of rows · columnsᵀ, [rows, columns]; in groups, each with its own. */
function product(rows: Value, columns: Value, groups: number): Value {
  const [batch, m, ...positions] = rows.shape;
  const n = columns.shape[1];
  const count = sizeOf(positions);
  if (groups === 1 && batch === 1)
    return gemm(reshape(rows, [m, count]), reshape(columns, [n, count]), { transB: true });
  const grouped = (x: Value, channels: number) =>
    reshape(x, groups === 1 ? [batch, channels, count] : [batch, groups, channels / groups, count]);
  return reduceSum(matMul(grouped(rows, m), transposeLast(grouped(columns, n))), [0]);
}

/** All offsets of a kernel in C order. */
function offsets(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>(
    (all, n) => all.flatMap((offset) => range(0, n).map((k) => [...offset, k])),
    [[]],
  );
}
