/** Derivatives of matrix products: dA = dY · Bᵀ, dB = Aᵀ · dY, summed over broadcast axes. */
import { mul } from '../layers/arithmetic.js';
import { transposeLast } from '../layers/layout.js';
import { gemm, matMul } from '../layers/matrix.js';
import { sumTo } from '../layers/reductions.js';
import type { GradientRule, GradientRules } from './rule.js';

const product: GradientRule = ({ node, dy, wants }) => {
  const [a, b] = [node.input(0), node.input(1)];
  return [
    wants(0) ? sumTo(matMul(dy, transposeLast(b)), a.shape) : undefined,
    wants(1) ? sumTo(matMul(transposeLast(a), dy), b.shape) : undefined,
  ];
};

const general: GradientRule = ({ node, dy, wants }) => {
  const [a, b, c] = [node.input(0), node.input(1), node.inputs[2]];
  const [transA, transB] = [node.number('transA', 0) === 1, node.number('transB', 0) === 1];
  const [alpha, beta] = [node.number('alpha', 1), node.number('beta', 1)];
  const scaled = alpha === 1 ? dy : mul(dy, alpha);
  // With A' = A or Aᵀ, and B' alike: dA' = dY · B'ᵀ and dB' = A'ᵀ · dY, transposed back by exchanging the factors.
  const toA = () => (transA ? gemm(b, scaled, { transA: transB, transB: true }) : gemm(scaled, b, { transB: !transB }));
  const toB = () => (transB ? gemm(scaled, a, { transA: true, transB: transA }) : gemm(a, scaled, { transA: !transA }));
  return [
    wants(0) ? toA() : undefined,
    wants(1) ? toB() : undefined,
    c && wants(2) ? sumTo(beta === 1 ? dy : mul(dy, beta), c.shape) : undefined,
  ];
};

export const matrixGradients: GradientRules = { MatMul: product, Gemm: general };
