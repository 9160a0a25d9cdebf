/** Attention within windows of [batch, space…, channels], with learned biases by relative position, and masks where windows wrap around. */
import type { Value } from '../graph/value.js';
import { softmax } from '../layers/activations.js';
import { add, cast, equal, mul, not } from '../layers/arithmetic.js';
import { concat, gather, pad, reshape, slices, transpose, transposeLast } from '../layers/layout.js';
import { matMul } from '../layers/matrix.js';
import { range, sizeOf } from '../tensor/shape.js';
import { int64s, type Tensor, tensorOf } from '../tensor/tensor.js';
import { normal } from './initial-rules.js';
import { linearModule } from './modules/convolution.js';
import { dropoutModule } from './modules/dropout.js';
import { joinHeads, queryKeyValue } from './modules/transformer.js';
import type { States } from './states.js';

/** What MONAI adds to scores between elements that are no neighbours. */
const MASKED = -100;

/** Along an axis that is no longer than the window, the window is the axis, and nothing shifts. */
export function cappedWindow(space: readonly number[], window: readonly number[], shifts: boolean) {
  const fits = (i: number) => space[i] > window[i];
  return {
    size: window.map((n, i) => (fits(i) ? n : space[i])),
    shift: window.map((n, i) => (shifts && fits(i) ? Math.floor(n / 2) : 0)),
  };
}

export interface WindowAttention {
  readonly window: readonly number[];
  readonly channels: number;
  readonly heads: number;
  readonly qkvBias: boolean;
  readonly dropout: number;
  readonly attentionDropout: number;
}

type Attend = (x: Value, size: readonly number[], shift: readonly number[]) => Value;

export function windowAttention(at: States, options: WindowAttention): Attend {
  const { window, channels, heads, qkvBias, dropout, attentionDropout } = options;
  const whole = sizeOf(window);
  const rows = sizeOf(window.map((n) => 2 * n - 1));
  const table = at.parameter('relative_position_bias_table', [rows, heads], normal(0.02));
  at.fixed('relative_position_index', [whole, whole], 'int64', () => relativePositions(window));
  const qkv = linearModule(at.under('qkv'), { from: channels, to: 3 * channels, bias: qkvBias });
  const dropWeights = dropoutModule(at.under('attn_drop'), { probability: attentionDropout });
  const proj = linearModule(at.under('proj'), { from: channels, to: channels });
  const dropOutput = dropoutModule(at.under('proj_drop'), { probability: dropout });

  /** [1, heads, n, n], from the first n rows and columns of the table for whole windows: so MONAI, for smaller ones too. */
  const positionBias = (x: Value, n: number): Value => {
    const { data } = relativePositions(window);
    const index = range(0, n).flatMap((i) => Array.from(data.slice(i * whole, i * whole + n) as BigInt64Array, Number));
    const found = gather(table(x.graph), x.graph.constant(int64s(index), 'relative_positions'));
    return reshape(transpose(reshape(found, [n, n, heads]), [2, 0, 1]), [1, heads, n, n]);
  };

  return (x, size, shift) => {
    const shifts = shift.some((n) => n > 0);
    const { windows, back } = at.within(x.graph, () => partition(x, size, shift));
    const n = sizeOf(size);
    const [query, key, value] = queryKeyValue(qkv(windows), heads);
    const mixed = at.within(x.graph, () => {
      const scale = 1 / Math.sqrt(channels / heads);
      const scores = add(matMul(mul(query, scale), transposeLast(key)), positionBias(x, n));
      const masked = shifts ? addMask(scores, x, size, shift) : scores;
      return joinHeads(matMul(dropWeights(softmax(masked, -1)), value));
    });
    const y = dropOutput(proj(mixed));
    return at.within(x.graph, () => back(y));
  };
}

/** Row of the bias table for each pair of places in a window. */
function relativePositions(window: readonly number[]): Tensor {
  const places = indexes(window);
  const numbers = places.flatMap((a) =>
    places.map((b) => window.reduce((sum, n, i) => sum * (2 * n - 1) + a[i] - b[i] + n - 1, 0)),
  );
  return tensorOf('int64', [places.length, places.length], numbers);
}

/** All indexes of a shape in C order. */
const indexes = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>((all, n) => all.flatMap((head) => range(0, n).map((i) => [...head, i])), [[]]);

const paddedSpace = (x: Value, size: readonly number[]): number[] =>
  size.map((n, i) => Math.ceil(x.shape[1 + i] / n) * n);

/** Windows as [batch · count, elements, channels], and the way back. */
function partition(x: Value, size: readonly number[], shift: readonly number[]) {
  const d = size.length;
  const [batch] = x.shape;
  const channels = x.shape[d + 1];
  const space = paddedSpace(x, size);
  const after = x.shape.map((n, axis) => (axis > 0 && axis <= d ? space[axis - 1] - n : 0));
  const padded = pad(
    x,
    after.map(() => 0),
    after,
  );
  const counts = space.map((n, i) => n / size[i]);
  const rolled = roll(padded, shift);
  const cells = reshape(rolled, [batch, ...counts.flatMap((n, i) => [n, size[i]]), channels]);
  const axes = range(0, d);
  const order = [0, ...axes.map((i) => 1 + 2 * i), ...axes.map((i) => 2 + 2 * i), 1 + 2 * d];
  const windows = reshape(transpose(cells, order), [batch * sizeOf(counts), sizeOf(size), channels]);
  const back = (y: Value): Value => {
    const apart = reshape(y, [batch, ...counts, ...size, channels]);
    const inverse = [0, ...axes.flatMap((i) => [1 + i, 1 + d + i]), 1 + 2 * d];
    const joined = reshape(transpose(apart, inverse), [batch, ...space, channels]);
    const unrolled = roll(
      joined,
      shift.map((n, i) => (n === 0 ? 0 : space[i] - n)),
    );
    return slices(
      unrolled,
      axes.map((i) => ({ axis: 1 + i, start: 0, end: x.shape[1 + i] })),
    );
  };
  return { windows, back };
}

/** The first `steps` elements of each axis move to its end. */
const roll = (x: Value, steps: readonly number[]): Value =>
  steps.reduce((y, n, i) => {
    if (n === 0) return y;
    const axis = 1 + i;
    const end = y.shape[axis];
    return concat([slices(y, [{ axis, start: n, end }]), slices(y, [{ axis, start: 0, end: n }])], axis);
  }, x);

/**
 * After a shift the last window along an axis holds the end and, behind it, the start: elements of different regions do not see
 * each other. The mask is worked out in the graph from one region number per element: written out for a stage of 48³ it
 * would be a constant of 160 MB.
 */
function addMask(scores: Value, x: Value, size: readonly number[], shift: readonly number[]): Value {
  const [all, heads, n] = scores.shape;
  const space = paddedSpace(x, size);
  const counts = space.map((m, i) => m / size[i]);
  const count = sizeOf(counts);
  const regions = indexes(counts).flatMap((cell) =>
    indexes(size).map((place) =>
      place.reduce((sum, p, i) => {
        const position = cell[i] * size[i] + p;
        const region = position < space[i] - size[i] ? 0 : position < space[i] - shift[i] ? 1 : 2;
        return sum * 3 + region;
      }, 0),
    ),
  );
  const { graph } = scores;
  const column = graph.constant(tensorOf(scores.dtype, [count, 1, n, 1], regions), 'regions');
  const row = graph.constant(tensorOf(scores.dtype, [count, 1, 1, n], regions), 'regions');
  const mask = mul(cast(not(equal(column, row)), scores.dtype), MASKED);
  return reshape(add(reshape(scores, [all / count, count, heads, n, n]), mask), scores.shape);
}
