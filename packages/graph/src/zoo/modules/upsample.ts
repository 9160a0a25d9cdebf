/** MONAI's UpSample (doubling by transposed convolution, interpolation or pixel shuffle) and its UpCat with TwoConv. */

import type { Value } from '../../graph/value.js';
import { concat, pad, pixelShuffle } from '../../layers/layout.js';
import { averagePool } from '../../layers/pooling.js';
import { upsample } from '../../layers/resize.js';
import { kaimingNormal } from '../initial-rules.js';
import type { Layer } from '../network.js';
import { NetworkError } from '../network-error.js';
import type { States } from '../states.js';
import { convModule, transposedModule } from './convolution.js';
import { type Adn, all, convolutionBlock } from './convolution-block.js';
import { chain } from './sequence.js';

export const UPSAMPLE_MODES = ['deconv', 'deconvgroup', 'nontrainable', 'pixelshuffle'] as const;
export type UpsampleMode = (typeof UPSAMPLE_MODES)[number];

export interface UpsampleModule {
  readonly space: number;
  readonly from: number;
  readonly to: number;
  readonly mode: UpsampleMode;
  /** `default`: a convolution before the interpolation or shuffle (1×1 where channels change; 3×3 for a shuffle). */
  readonly preConv: 'default' | 'none';
  readonly interpolation: 'linear' | 'nearest';
  readonly alignCorners: boolean;
}

/** Doubles all spatial sizes. */
export function upsampleModule(at: States, options: UpsampleModule): Layer {
  const { space, from, to, mode, preConv, interpolation, alignCorners } = options;
  switch (mode) {
    case 'deconv':
      return transposedModule(at.under('deconv'), { space, from, to, kernel: 2, stride: 2 });
    case 'deconvgroup':
      return transposedModule(at.under('deconvgroup'), {
        space,
        from,
        to,
        kernel: 2,
        stride: 2,
        groups: from % to === 0 ? to : 1,
      });
    case 'nontrainable': {
      if (preConv === 'none' && from !== to)
        throw new NetworkError(
          'wrong-argument',
          `Interpolation without a convolution keeps ${from} channels, not ${to}`,
        );
      const before: Layer = from === to ? (x) => x : convModule(at.under('preconv'), { space, from, to, kernel: 1 });
      return (x) => {
        const y = before(x);
        return at.within(x.graph, () => upsample(y, 2, { mode: interpolation, alignCorners }));
      };
    }
    case 'pixelshuffle':
      return pixelShuffleModule(at.under('pixelshuffle'), options);
  }
}

/**
 * A shuffle and then a mean over 2^d neighbours, against the checkerboard (Aitken et al. 2017, arXiv 1707.02937). First weights have
 * MONAI's spread, but are not repeated over the 2^d places of a shuffle as its ICNR does.
 */
function pixelShuffleModule(at: States, { space, from, to, preConv }: UpsampleModule): Layer {
  const packed = to * 2 ** space;
  const before: Layer =
    preConv === 'none'
      ? (x) => x
      : convModule(at.under('conv_block'), {
          space,
          from,
          to: packed,
          kernel: 3,
          padding: 1,
          initial: kaimingNormal.conv,
        });
  return (x) => {
    const y = before(x);
    return at.within(x.graph, () => {
      const shuffled = pixelShuffle(y, all(space, 2));
      const front = shuffled.shape.map((_, axis) => (axis < 2 ? 0 : 1));
      const padded = pad(
        shuffled,
        front,
        front.map(() => 0),
      );
      return averagePool(padded, 2, { stride: 1 });
    });
  };
}

export interface TwoConv {
  readonly space: number;
  readonly from: number;
  readonly to: number;
  readonly bias: boolean;
  readonly adn: Adn;
}

export function twoConv(at: States, { space, from, to, bias, adn }: TwoConv): Layer {
  return chain(
    [from, to].map((channels, i) =>
      convolutionBlock(at.under(`conv_${i}`), { space, from: channels, to, bias, adn, padding: all(space, 1) }),
    ),
  );
}

export interface UpCat extends Omit<TwoConv, 'from'> {
  readonly from: number;
  /** Channels of the skip; 0 for none. */
  readonly skip: number;
  readonly up: Omit<UpsampleModule, 'space' | 'from' | 'to'>;
  /** Whether doubling halves the channels. */
  readonly halves: boolean;
  /** Whether an odd skip is met by repeating the last element. */
  readonly pads: boolean;
}

/** Doubles, puts the skip in front, convolves twice. */
export function upCat(at: States, options: UpCat): (x: Value, skip?: Value) => Value {
  const { space, from, to, skip, up, halves, pads, bias, adn } = options;
  const keeps = up.mode === 'nontrainable' && up.preConv === 'none';
  const middle = keeps || !halves ? from : Math.floor(from / 2);
  const doubled = upsampleModule(at.under('upsample'), { space, from, to: middle, ...up });
  const convs = twoConv(at.under('convs'), { space, from: skip + middle, to, bias, adn });
  return (x, other) => {
    const y = doubled(x);
    if (!other) return convs(y);
    return convs(at.within(x.graph, () => concat([other, pads ? meet(y, other) : y])));
  };
}

function meet(x: Value, goal: Value): Value {
  const after = x.shape.map((n, axis) => (axis >= 2 && goal.shape[axis] !== n ? 1 : 0));
  return pad(
    x,
    after.map(() => 0),
    after,
    'edge',
  );
}
