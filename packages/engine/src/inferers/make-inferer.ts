/** Builds the inferer that a configuration describes. */

import type { ConfigValue, TargetObject } from '../bundle/config/values.js';
import { Arguments } from '../transforms/arguments.js';
import type { Inferer } from './inferer.js';
import { slidingWindow } from './sliding-window.js';
import { tiled } from './tiled.js';
import type { PaddingMode } from './windows.js';

const PADDING = ['constant', 'replicate', 'reflect', 'circular'];
/** Where tensors lie and how many windows go at once: windows run one by one here, and the numbers are the same. */
const WITHOUT_EFFECT = [
  'sw_batch_size',
  'sw_device',
  'progress',
  'cache_roi_weight_map',
  'cpu_thresh',
  'buffer_steps',
  'buffer_dim',
  'with_coord',
];

function slidingArguments(args: Arguments, name: string, squeeze?: number): Inferer {
  const roi = args.get('roi_size');
  const list: readonly ConfigValue[] = Array.isArray(roi) ? roi : [roi ?? -1];
  if (!list.every((n) => n === null || (typeof n === 'number' && Number.isInteger(n))))
    throw args.error('invalid-argument', 'roi_size must be whole numbers');
  const overlap = args.numbers('overlap') ?? [0.25];
  if (overlap.some((value) => !(value >= 0 && value < 1)))
    throw args.error('invalid-argument', 'overlap must be at least 0 and less than 1');
  const mode = args.text('mode') ?? 'constant';
  if (mode !== 'constant' && mode !== 'gaussian') throw args.error('invalid-argument', `mode "${mode}" is not known`);
  const paddingMode = args.text('padding_mode') ?? 'constant';
  if (!PADDING.includes(paddingMode))
    throw args.error('invalid-argument', `padding_mode "${paddingMode}" is not known`);
  for (const ignored of WITHOUT_EFFECT) args.get(ignored);
  args.only('roi_weight_map');
  args.only('process_fn');
  const sigmaScale = args.numbers('sigma_scale') ?? [0.125];
  const cval = args.number('cval') ?? 0;
  args.finish();
  return slidingWindow({
    name,
    roi: list.map((n) => (n === null ? undefined : (n as number))),
    overlap,
    mode,
    sigmaScale,
    paddingMode: paddingMode as PaddingMode,
    cval,
    ...(squeeze === undefined ? {} : { squeeze }),
  });
}

export const infererTable: Readonly<Record<string, (args: Arguments) => Inferer>> = Object.assign(Object.create(null), {
  SlidingWindowInferer: (args) => slidingArguments(args, 'SlidingWindowInferer'),
  SlidingWindowInfererAdapt: (args) => slidingArguments(args, 'SlidingWindowInfererAdapt'),
  SliceInferer(args) {
    const axis = args.number('spatial_dim') ?? 0;
    if (![0, 1, 2].includes(axis)) throw args.error('invalid-argument', 'spatial_dim is 0, 1 or 2');
    return slidingArguments(args, 'SliceInferer', axis);
  },
  SimpleInferer(args) {
    args.finish();
    return slidingWindow({
      name: 'SimpleInferer',
      roi: [-1],
      overlap: [0],
      mode: 'constant',
      sigmaScale: [0.125],
      paddingMode: 'constant',
      cval: 0,
    });
  },
  TiledInferer(args) {
    const tile = args.numbers('tile');
    const halo = args.numbers('halo');
    if (!tile || !halo || [...tile, ...halo].some((n) => !Number.isInteger(n)) || halo.some((n) => n < 0))
      throw args.error('invalid-argument', 'tile and halo must be whole numbers');
    args.finish();
    return tiled({ tile, halo });
  },
} satisfies Record<string, (args: Arguments) => Inferer>);

/** Throws TransformError on arguments; unknown names are the caller's to report. */
export function makeInferer(object: TargetObject): Inferer {
  return infererTable[object.shortName](new Arguments(object));
}
