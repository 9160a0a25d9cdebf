/** Matrix products. */
import type { Value } from '../graph/value.js';
import { range, sizeOf } from '../tensor/shape.js';
import { tensorOf } from '../tensor/tensor.js';
import { reshape, transpose } from './layout.js';

/** Products of the last two axes; the axes before broadcast. */
export const matMul = (a: Value, b: Value): Value => a.graph.node('MatMul', [a, b]);

export interface GemmOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Added to the product; broadcasts. */
  readonly c?: Value;
}

/** Product of two matrices, either transposed. */
export const gemm = (a: Value, b: Value, { transA = false, transB = false, c }: GemmOptions = {}): Value =>
  a.graph.node('Gemm', c ? [a, b, c] : [a, b], { transA: transA ? 1 : 0, transB: transB ? 1 : 0 });

/** PyTorch's Linear: weight [out, in], over the last axis of x. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  const lead = x.shape.slice(0, -1);
  const flat = reshape(x, [sizeOf(lead), x.shape[x.shape.length - 1]]);
  return reshape(gemm(flat, weight, { transB: true, c: bias }), [...lead, weight.shape[0]]);
}

/** Applies a constant matrix [to, from] along one axis: linear resizing, border rules, and their transposes. */
export function alongAxis(x: Value, axis: number, matrix: readonly (readonly number[])[], name: string): Value {
  const [to, from] = [matrix.length, matrix[0].length];
  const last = x.shape.length - 1;
  const order = [...range(0, x.shape.length).filter((i) => i !== axis), axis];
  const moved = transpose(x, order);
  const transposed = range(0, from * to).map((i) => matrix[i % to][Math.floor(i / to)]);
  const product = matMul(moved, x.graph.constant(tensorOf(x.dtype, [from, to], transposed), name));
  const back = order.map((_, i) => order.indexOf(i));
  return axis === last ? product : transpose(product, back);
}
