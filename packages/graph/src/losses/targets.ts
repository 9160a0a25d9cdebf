/** What losses compare: predictions [batch, classes, space…] and targets of the same shape. */
import { GraphError } from '../errors/graph-error.js';
import type { Value } from '../graph/value.js';
import { sigmoid, softmax } from '../layers/activations.js';
import { cast, equal } from '../layers/arithmetic.js';
import { countTo, reshape, slice, unsqueeze } from '../layers/layout.js';
import type { DType } from '../tensor/dtype.js';
import { range, sameShape, showShape } from '../tensor/shape.js';

/** Class numbers [batch, space…] or [batch, 1, space…] (int64) to ones and zeros [batch, classes, space…]. */
export function oneHot(labels: Value, classes: number, rank: number, dtype: DType = 'float32'): Value {
  const single = labels.shape.length === rank ? labels : unsqueeze(labels, 1);
  const numbers = reshape(countTo(labels, classes, labels.dtype), [1, classes, ...range(2, rank).map(() => 1)]);
  return cast(equal(single, numbers), dtype);
}

export interface Prepared {
  readonly probabilities: Value;
  readonly target: Value;
}

export interface TargetOptions {
  /** What turns logits into probabilities. */
  readonly activation?: 'softmax' | 'sigmoid' | 'none';
  /** Whether the first class counts. */
  readonly includeBackground?: boolean;
}

/** Probabilities and target, without the background if it does not count. Throws GraphError `wrong-shape`. */
export function prepare(
  logits: Value,
  target: Value,
  { activation = 'none', includeBackground = true }: TargetOptions,
): Prepared {
  sameShapes(logits, target);
  const all = activation === 'softmax' ? softmax(logits, 1) : activation === 'sigmoid' ? sigmoid(logits) : logits;
  const pick = (x: Value) => (includeBackground || x.shape[1] === 1 ? x : slice(x, 1, 1, x.shape[1]));
  return { probabilities: pick(all), target: pick(target) };
}

export function sameShapes(prediction: Value, target: Value): void {
  if (sameShape(prediction.shape, target.shape)) return;
  throw new GraphError(
    'wrong-shape',
    `The target "${target.name}" (${showShape(target.shape)}) has not the shape of the prediction "${prediction.name}" (${showShape(prediction.shape)})`,
    { where: target.name, next: 'Make labels one-hot with oneHot' },
  );
}

/** Axes of space, and of the batch if `batch`. */
export const summedAxes = (x: Value, batch = false): number[] => [...(batch ? [0] : []), ...range(2, x.shape.length)];
