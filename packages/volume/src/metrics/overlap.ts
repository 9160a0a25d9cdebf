/**
 * How far two masks of one grid cover each other, and how large they are. Empty masks: a measure that has nothing to
 * measure is NaN ("no value"), unless the caller says that two empty masks agree. Rules: shared/specs/monai.md C.6.
 */
import { type Affine, GeometryError } from '../geometry.js';
import { onesOf, sumOfOnes, wordsOf } from '../words.js';

/** Voxels in `a`, in `b`, and in both. */
export interface Overlap {
  readonly a: number;
  readonly b: number;
  readonly both: number;
}

/** Counts voxels that are not 0. Throws GeometryError `size-mismatch` on masks of different length. */
export function overlapOf(a: Uint8Array, b: Uint8Array): Overlap {
  if (a.length !== b.length) throw new GeometryError('size-mismatch', `Masks of ${a.length} and ${b.length} voxels`);
  const [wordsA, wordsB] = [wordsOf(a), wordsOf(b)];
  if (wordsA && wordsB) return countWords(wordsA, wordsB);
  let inA = 0;
  let inB = 0;
  let both = 0;
  for (let at = 0; at < a.length; at++) {
    const x = a[at] === 0 ? 0 : 1;
    const y = b[at] === 0 ? 0 : 1;
    inA += x;
    inB += y;
    both += x & y;
  }
  return { a: inA, b: inB, both };
}

function countWords(a: Int32Array, b: Int32Array): Overlap {
  let inA = 0;
  let inB = 0;
  let both = 0;
  for (let at = 0; at < a.length; at++) {
    if ((a[at] | b[at]) === 0) continue;
    const x = onesOf(a[at]);
    const y = onesOf(b[at]);
    inA += sumOfOnes(x);
    inB += sumOfOnes(y);
    both += sumOfOnes(x & y);
  }
  return { a: inA, b: inB, both };
}

/** What an overlap measure says when the reference `b` is empty. */
export type EmptyRule = 'no-value' | 'agreement';

/**
 * 2 |a ∩ b| / (|a| + |b|), b being the reference. Reference empty: NaN, or with `agreement` 1 when `a` is empty too and
 * else 0 (MONAI's ignore_empty true and false).
 */
export function dice({ a, b, both }: Overlap, empty: EmptyRule = 'no-value'): number {
  if (b === 0) return empty === 'no-value' ? Number.NaN : a === 0 ? 1 : 0;
  return (2 * both) / (a + b);
}

/** |a ∩ b| / |a ∪ b|, with the same rule for an empty reference. */
export function jaccard({ a, b, both }: Overlap, empty: EmptyRule = 'no-value'): number {
  if (b === 0) return empty === 'no-value' ? Number.NaN : a === 0 ? 1 : 0;
  return both / (a + b - both);
}

/** Volume in millilitres (cm³) of `voxels` voxels of a grid. */
export function volumeInMl(voxels: number, affine: Affine): number {
  const [a, b, c, , d, e, f, , g, h, i] = affine;
  return (voxels * Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))) / 1000;
}
