/**
 * What a run will need at least when only the size of its input is known: no header has been read yet. The forecast of
 * the run itself (run-network.ts) is more exact and comes later, in the process that holds the images.
 */
import { statSync } from 'node:fs';
import { IDENTITY_AFFINE } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import { planOf } from '../bundle/inference-plan.js';
import { makeInferer } from '../inferers/make-inferer.js';
import { builtinTargetOf } from '../run.js';
import { type ForecastItem, PROCESS_BYTES, sumOf } from './forecast.js';

const FLOAT_BYTES = 4;
/** Nearly all images of patients are stored so; of others this counts too few voxels or too many, never none. */
const BYTES_PER_VOXEL = 2;

/** `bytes`: all images of the input, unpacked. Throws what `planOf` throws. */
export function forecastOfFile(bundle: Bundle, bytes: number): ForecastItem[] {
  const voxels = Math.ceil(bytes / BYTES_PER_VOXEL);
  const items: ForecastItem[] = [
    { what: 'process', bytes: PROCESS_BYTES },
    { what: 'images', bytes },
    // Labels are held while each object that is written of them is read back and compared.
    { what: 'labels and their proof', bytes: 2 * voxels },
    ...(builtinTargetOf(bundle) ? [] : networkItems(bundle, voxels)),
  ];
  const stated = bundle.isocenter.memoryBytes;
  const known = sumOf(items);
  return stated !== undefined && stated > known
    ? [...items, { what: 'network, as the bundle states', bytes: stated - known }]
    : items;
}

function networkItems(bundle: Bundle, voxels: number): ForecastItem[] {
  const plan = planOf(bundle);
  const channels = bundle.isocenter.channels.length;
  const classes = Math.max(1, bundle.isocenter.structures.length + 1);
  const window = Math.min(voxels / channels, windowVoxels(makeInferer(plan.inferer), voxels / channels));
  return [
    { what: 'images as float32', bytes: voxels * FLOAT_BYTES },
    { what: 'model', bytes: statSync(plan.model).size },
    { what: `window of ${classes} classes`, bytes: Math.ceil(window) * (channels + classes) * FLOAT_BYTES },
  ];
}

/** The window on an image of unknown shape, taken for a cube. */
function windowVoxels(inferer: ReturnType<typeof makeInferer>, voxels: number): number {
  const side = Math.max(1, Math.round(Math.cbrt(voxels)));
  const cube = {
    data: new Float32Array(0),
    channels: 1,
    size: [side, side, side],
    affine: IDENTITY_AFFINE,
    rank: 3,
  } as const;
  return inferer.largestWindow(cube).reduce((product, n) => product * n, 1);
}
