/**
 * The adjoint of a convolution by a convolution: transposed convolutions and input gradients. With stride s each output position
 * q = m·s + r takes only the kernel elements r, r + s, r + 2s … so the s^d phases r are s^d groups of output channels of one
 * ordinary convolution over x, with a kernel of ⌈k/s⌉ that runs backwards, whose result is shuffled into space (Shi et al.
 * 2016, arXiv 1609.07009). Stride 1 is the well-known flipped convolution. ONNX Runtime's ConvTranspose is 10–20 × slower on
 * a CPU, and inserting zeros multiplies s^d times as many numbers (figures: README).
 */
import type { Value } from '../graph/value.js';
import { range, sizeOf } from '../tensor/shape.js';
import { flip, pad, pixelShuffle, reshape, slices, transpose, zeroInsert } from './layout.js';

export interface TransposedOptions {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Elements of the full result that are cut off in front of each axis: the padding of the convolution. */
  readonly before: readonly number[];
  /** Spatial size of the result; positions that no input reaches are 0. */
  readonly size: readonly number[];
  readonly groups: number;
}

/**
 * With a stride, kernels larger than it and at most so many positions, rearranging the weights costs more than it gains. Measured on
 * one thread, 3 × 3 × 3 with stride 2, milliseconds by phases and by ConvTranspose: 32 → 16 channels from 32³ positions 68
 * and 144; 128 → 64 from 16³ 102 and 90; 256 → 128 from 8³ 72 and 29. With kernel 2 the phases win everywhere.
 */
const POSITIONS_FOR_ONE_NODE = 1024;

/** x [batch, in, space…], weight [in, out / groups, kernel…]; answers [batch, out, size…]. */
export function transposedConvolution(x: Value, weight: Value, options: TransposedOptions): Value {
  const { strides, dilations, before, size } = options;
  const positions = x.shape.slice(2);
  const kernel = weight.shape.slice(2);
  const after = positions.map(
    (n, i) => (n - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - before[i] - size[i],
  );
  const deep = sizeOf(positions) <= POSITIONS_FOR_ONE_NODE && weight.shape[0] >= CHANNELS_FOR_ONE_NODE;
  const strided = strides.some((s, i) => s > 1 && kernel[i] > s);
  return deep && strided && after.every((n, i) => n > -strides[i])
    ? oneNode(x, weight, options, after)
    : byPhases(x, weight, options);
}

/** With few channels nothing is large, and sub-pixel convolutions run on faster kernels. */
const CHANNELS_FOR_ONE_NODE = 64;

const oneNode = (x: Value, weight: Value, options: TransposedOptions, after: readonly number[]): Value =>
  x.graph.node('ConvTranspose', [x, weight], {
    kernel_shape: weight.shape.slice(2),
    strides: options.strides,
    dilations: options.dilations,
    pads: [...options.before, ...after.map((n) => Math.max(n, 0))],
    output_padding: after.map((n) => Math.max(-n, 0)),
    group: options.groups,
  });

function byPhases(x: Value, weight: Value, options: TransposedOptions): Value {
  const { strides, before, size, groups } = options;
  const d = size.length;
  const axes = range(2, 2 + d);
  // A dilated kernel with a stride is written out with its zeros; without stride the convolution dilates by itself.
  const wide = options.dilations.map((n, i) => (strides[i] > 1 ? n : 1));
  const dilations = options.dilations.map((n, i) => (strides[i] > 1 ? 1 : n));
  const w = zeroInsert(weight, axes, wide);
  const [inputs, outputs, ...kernel] = w.shape;
  // Elements per phase: kernels are padded with zeros to whole phases (zeroInsert's trailing zeros count as such).
  const taps = kernel.map((k, i) => Math.ceil((k - (wide[i] - 1)) / strides[i]));
  const whole = taps.map((t, i) => t * strides[i] - kernel[i]);
  const padded = pad(
    w,
    w.shape.map(() => 0),
    [0, 0, ...whole],
  );
  // [G, I, O, t1, s1, t2, s2 …] → [G, O, s1, s2 …, I, t1, t2 …], phases next to their channel, taps reversed.
  const parts = reshape(padded, [groups, inputs / groups, outputs, ...taps.flatMap((t, i) => [t, strides[i]])]);
  const order = [0, 2, ...range(0, d).map((i) => 4 + 2 * i), 1, ...range(0, d).map((i) => 3 + 2 * i)];
  const phases = strides.reduce((product, s) => product * s, 1);
  const kernels = reshape(transpose(parts, order), [groups * outputs * phases, inputs / groups, ...taps]);
  const reversed = flip(kernels, axes);
  // The first phase that is wanted starts at coarse position `skip`; what is left of `before` is cut after the shuffle.
  const skip = before.map((b, i) => Math.floor(b / strides[i]));
  const rest = before.map((b, i) => b - skip[i] * strides[i]);
  const coarse = size.map((n, i) => Math.ceil((n + rest[i]) / strides[i]));
  const reach = taps.map((t, i) => dilations[i] * (t - 1));
  const front = reach.map((r, i) => r - skip[i]);
  const back = reach.map((r, i) => coarse[i] + r - front[i] - x.shape[2 + i]);
  // A convolution takes no negative pads: input that reaches no wanted position is cut off.
  const cut = pad(x, [0, 0, ...front.map((n) => Math.min(n, 0))], [0, 0, ...back.map((n) => Math.min(n, 0))]);
  const y = x.graph.node('Conv', [cut, reversed], {
    kernel_shape: taps,
    strides: taps.map(() => 1),
    dilations,
    pads: [...front, ...back].map((n) => Math.max(n, 0)),
    group: groups,
  });
  const shuffled = pixelShuffle(y, strides);
  return slices(
    shuffled,
    size.map((n, i) => ({ axis: 2 + i, start: rest[i], end: rest[i] + n })),
  );
}
