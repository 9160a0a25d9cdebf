/** Swin's merging of 2^d neighbours into channels, in the orders that MONAI has had. */
import type { Value } from '../graph/value.js';
import { concat, pad, slices } from '../layers/layout.js';
import { linearModule } from './modules/convolution.js';
import { layerNormModule } from './modules/norm.js';
import type { Layer } from './network.js';
import type { States } from './states.js';

/** Offsets along the axes, in the order of the channels. */
export type Neighbours = readonly (readonly number[])[];

const digits = (text: string): Neighbours => text.split(' ').map((word) => [...word].map(Number));

const BEFORE_1_5 = digits('000 100 010 001 101 010 001 111');
const SINCE_1_5 = digits('000 100 010 001 110 101 011 111');
const LAST_AXIS_FASTEST = digits('000 001 010 011 100 101 110 111');
const FLAT = digits('00 10 01 11');

export function neighbours(space: number, merging: 'merging' | 'mergingv2', sinceVersion15: boolean): Neighbours {
  if (space === 2) return FLAT;
  if (merging === 'mergingv2') return LAST_AXIS_FASTEST;
  return sinceVersion15 ? SINCE_1_5 : BEFORE_1_5;
}

/** [batch, space…, channels] to half of space and twice the channels; odd sides get a zero at the end. */
export function mergingModule(at: States, channels: number, order: Neighbours): Layer {
  const wide = channels * order.length;
  const reduce = linearModule(at.under('reduction'), { from: wide, to: 2 * channels, bias: false });
  const norm = layerNormModule(at.under('norm'), wide);
  return (x) => reduce(norm(at.within(x.graph, () => gathered(x, order))));
}

function gathered(x: Value, order: Neighbours): Value {
  const after = x.shape.map((n, axis) => (axis > 0 && axis < x.shape.length - 1 ? n % 2 : 0));
  const even = pad(
    x,
    after.map(() => 0),
    after,
  );
  const parts = order.map((offsets) =>
    slices(
      even,
      offsets.map((start, i) => ({ axis: 1 + i, start, end: even.shape[1 + i], step: 2 })),
    ),
  );
  return concat(parts, x.shape.length - 1);
}
