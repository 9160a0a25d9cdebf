/** InnerEye's building blocks: convolution, batch norm, ReLU; always 3-D, flat networks have kernels of 1 along z. */
import { relu } from '../layers/activations.js';
import { add } from '../layers/arithmetic.js';
import { type InitialRules, kaimingNormal, torchInitial } from './initial-rules.js';
import { convModule } from './modules/convolution.js';
import { batchNormModule } from './modules/norm.js';
import { chain } from './modules/sequence.js';
import type { Layer } from './network.js';
import type { States } from './states.js';

/** He et al. for all convolutions of blocks; the heads with their bias stay as PyTorch makes them. */
export const innerEyeInitial: InitialRules = { ...torchInitial, conv: kaimingNormal.conv };

/** Norms start near 1, not at it. */
export const NORM_INITIAL = { kind: 'normal', mean: 1, deviation: 0.01 } as const;

export interface BasicLayer {
  readonly from: number;
  readonly to: number;
  readonly kernel: readonly number[];
  readonly stride?: readonly number[];
  readonly dilation?: readonly number[];
  /** Zeros around, so that stride 1 keeps the size; otherwise none. */
  readonly pads: boolean;
  readonly norm?: boolean;
  readonly activates?: boolean;
}

export const paddingOf = (kernel: readonly number[], dilation: readonly number[]): number[] =>
  kernel.map((k, i) => (k === 1 ? 0 : Math.floor((k - 1) / 2) + dilation[i] - 1));

const ONES = [1, 1, 1];

export function basicLayer(at: States, options: BasicLayer): Layer {
  const { from, to, kernel, stride, dilation = ONES, pads, norm = true, activates = true } = options;
  const padding = pads ? paddingOf(kernel, dilation) : 0;
  const window = { space: 3, from, to, kernel, stride, dilation, padding, bias: false };
  const layers = [convModule(at.under('conv1'), window)];
  if (norm) layers.push(batchNormModule(at.under('bn1'), to, { weightInitial: NORM_INITIAL }));
  if (activates) layers.push((x) => at.within(x.graph, () => relu(x)));
  return chain(layers);
}

export interface EncodeBlock extends BasicLayer {
  /** Whether the second layer is added to the first. */
  readonly residual: boolean;
}

/** The stride is the first layer's, the dilation the second's. */
export function encodeBlock(at: States, { residual, dilation, stride, ...options }: EncodeBlock): Layer {
  const first = basicLayer(at.under('block1'), { ...options, stride });
  const second = basicLayer(at.under('block2'), { ...options, from: options.to, dilation });
  return (x) => {
    const y = first(x);
    const z = second(y);
    return residual ? add(z, y) : z;
  };
}
