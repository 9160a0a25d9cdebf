/**
 * Dropout whose masks are computed in the graph from (seed, step, layer, element) by an integer hash. ONNX Runtime's own random
 * operators either differ from run to run or, seeded, go on counting inside the session, so that a resumed training would
 * not repeat; masks brought from outside would have to be made and copied for each step. A hash has no state: the same
 * step gives the same mask on every machine, after any interruption.
 */
import type { Value } from '../graph/value.js';
import { isFloat } from '../tensor/dtype.js';
import { range, type Shape, sizeOf } from '../tensor/shape.js';
import { tensorOf } from '../tensor/tensor.js';
import { add, bitwiseAnd, bitwiseXor, cast, div, greaterOrEqual, mod, mul } from './arithmetic.js';
import { expand, int64Scalar, reshape } from './layout.js';

/** Odd multipliers below 2³¹: with 32-bit words the products stay below 2⁶³, where int64 arithmetic is exact. */
const FIRST_MULTIPLIER = 0x7feb352d;
const SECOND_MULTIPLIER = 0x68e31da5;
const WORD = 2 ** 32;
const WORD_MASK = WORD - 1;

/** Mixes 32-bit words held in int64: multiply and xor-shift twice (the form of Wellons' lowbias32). */
export function hashWords(words: Value): Value {
  const shifted = (x: Value, bits: number) => bitwiseXor(x, div(x, int64Scalar(x, 2 ** bits)));
  const times = (x: Value, factor: number) => bitwiseAnd(mul(x, int64Scalar(x, factor)), int64Scalar(x, WORD_MASK));
  return shifted(times(shifted(times(shifted(words, 16), FIRST_MULTIPLIER), 15), SECOND_MULTIPLIER), 16);
}

/**
 * 32 random bits for each element of `shape`, as int64. `key` is an int64 scalar that differs from step to step, `layer` a
 * number that differs from layer to layer.
 */
export function randomWords(key: Value, layer: number, shape: Shape): Value {
  const { graph } = key;
  // Positions as the sum of one small constant per axis: a table of all positions would take 8 bytes per element in the file.
  const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
  const positions = shape
    .map((n, axis) => {
      const along = graph.constant(
        tensorOf(
          'int64',
          [n],
          range(0, n).map((i) => i * strides[axis]),
        ),
        'positions',
      );
      return reshape(
        along,
        shape.map((_, i) => (i === axis ? n : 1)),
      );
    })
    .reduce((sum, along) => add(sum, along));
  const start = hashWords(
    mod(add(hashWords(mod(key, int64Scalar(key, WORD))), int64Scalar(key, layer + 1)), int64Scalar(key, WORD)),
  );
  return hashWords(mod(add(expand(positions, shape), start), int64Scalar(key, WORD)));
}

export interface DropoutOptions {
  /** int64 scalar, another one in each step (trainingStep brings it). */
  readonly key: Value;
  /** A number of its own for each dropout of the network. */
  readonly layer: number;
  /** Drops whole channels (PyTorch's Dropout2d and 3d) instead of single elements. */
  readonly channels?: boolean;
}

/** Each element is 0 with `probability`, the others are divided by what remains; in use, x itself. */
export function dropout(x: Value, probability: number, options: DropoutOptions): Value {
  if (x.graph.mode === 'infer' || probability === 0 || !isFloat(x.dtype)) return x;
  const shape = options.channels ? x.shape.map((n, axis) => (axis < 2 ? n : 1)) : x.shape;
  const words = randomWords(options.key, options.layer, shape);
  const kept = greaterOrEqual(words, int64Scalar(words, Math.round(probability * WORD)));
  return mul(x, mul(cast(kept, x.dtype), 1 / (1 - probability)));
}
