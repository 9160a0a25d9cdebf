/** MONAI's Convolution (a convolution, then norm, dropout and activation in a stated order) and its ResidualUnit. */
import { add } from '../../layers/arithmetic.js';
import type { Arguments } from '../arguments.js';
import type { Layer } from '../network.js';
import { NetworkError } from '../network-error.js';
import type { States } from '../states.js';
import { type ActivationMaker, activationOf } from './activation.js';
import { convModule, transposedModule } from './convolution.js';
import { dropoutModule } from './dropout.js';
import { type NormMaker, normOf } from './norm.js';
import { chain } from './sequence.js';

/** What stands after a convolution. Parts that a network leaves out declare nothing. */
export interface Adn {
  /** Of the letters N, D and A. */
  readonly ordering: string;
  readonly norm?: NormMaker;
  readonly activation?: ActivationMaker;
  readonly dropout?: number;
}

export const NOTHING: Adn = { ordering: '' };

type Given = Parameters<Arguments['layer']>[1];

/** Reads `norm`, `act` and `dropout`, whose defaults differ from network to network. */
export const readAdn = (read: Arguments, norm: Given, act: Given, ordering = 'NDA'): Adn => ({
  ordering,
  norm: normOf(read.layer('norm', norm)),
  activation: activationOf(read.layer('act', act)),
  dropout: read.share('dropout'),
});

export const readOrdering = (read: Arguments): string => read.text('adn_ordering', ORDERINGS, 'NDA');

const ORDERINGS = ['NDA', 'NAD', 'DNA', 'DAN', 'AND', 'ADN', 'NA', 'AN', 'DN', 'ND', 'DA', 'AD', 'N', 'A', 'D', ''];

export function adnModule(at: States, channels: number, { ordering, norm, activation, dropout }: Adn): Layer {
  const layers = [...ordering].map((letter): Layer => {
    if (letter === 'N') return norm?.(at.under('N'), channels) ?? ((x) => x);
    if (letter === 'A') return activation?.(at.under('A')) ?? ((x) => x);
    return dropout ? dropoutModule(at.under('D'), { probability: dropout }) : (x) => x;
  });
  return chain(layers);
}

export interface ConvolutionBlock {
  readonly space: number;
  readonly from: number;
  readonly to: number;
  readonly kernel?: readonly number[];
  readonly stride?: readonly number[];
  readonly padding?: readonly number[];
  readonly outputPadding?: readonly number[];
  readonly dilation?: number;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly transposed?: boolean;
  /** NOTHING: the convolution alone. */
  readonly adn?: Adn;
}

/** Padding that keeps the size at stride 1. Throws NetworkError for even kernels, which have none. */
function samePadding(kernel: readonly number[], dilation: number): number[] {
  return kernel.map((k) => {
    if (((k - 1) * dilation) % 2 !== 0)
      throw new NetworkError('wrong-argument', `A kernel of ${k} has no padding that keeps the size`, {
        next: 'Take odd kernels',
      });
    return ((k - 1) / 2) * dilation;
  });
}

/** Everything with the same number along all axes. */
export const all = (space: number, n: number): number[] => new Array<number>(space).fill(n);

export function convolutionBlock(at: States, options: ConvolutionBlock): Layer {
  const { space, from, to, groups, bias, adn = NOTHING, dilation = 1, transposed = false } = options;
  const { kernel = all(space, 3), stride = all(space, 1) } = options;
  const { padding = samePadding(kernel, dilation) } = options;
  const window = { space, from, to, kernel, stride, padding, dilation, groups, bias };
  const layer = transposed
    ? transposedModule(at.under('conv'), {
        ...window,
        outputPadding: options.outputPadding ?? stride.map((s) => s - 1),
      })
    : convModule(at.under('conv'), window);
  return chain([layer, adnModule(at.under('adn'), to, adn)]);
}

export interface ResidualUnit extends Omit<ConvolutionBlock, 'adn' | 'transposed' | 'outputPadding' | 'groups'> {
  readonly adn: Adn;
  readonly subunits: number;
  /** The last convolution stands alone. */
  readonly lastConvOnly?: boolean;
}

/** The input is added to the last unit, through a convolution where size or channels change. */
export function residualUnit(at: States, options: ResidualUnit): Layer {
  const { space, from, to, subunits, adn, lastConvOnly = false, dilation = 1, bias } = options;
  const { kernel = all(space, 3), stride = all(space, 1) } = options;
  const padding = samePadding(kernel, dilation);
  const units = Array.from({ length: Math.max(1, subunits) }, (_, i) =>
    convolutionBlock(at.under(`conv.unit${i}`), {
      space,
      from: i === 0 ? from : to,
      to,
      kernel,
      stride: i === 0 ? stride : undefined,
      padding,
      dilation,
      bias,
      adn: lastConvOnly && i === subunits - 1 ? NOTHING : adn,
    }),
  );
  const strided = stride.some((s) => s !== 1);
  const shortcut =
    strided || from !== to
      ? convModule(at.under('residual'), {
          space,
          from,
          to,
          bias,
          ...(strided ? { kernel, stride, padding } : { kernel: 1 }),
        })
      : (x: Parameters<Layer>[0]) => x;
  const main = chain(units);
  return (x) => add(main(x), shortcut(x));
}
