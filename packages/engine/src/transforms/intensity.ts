/** Intensity transforms (specs/monai.md C.3). In place, in float64 per voxel, stored as float32; never inverted. */
import type { Arguments } from './arguments.js';
import { onValues } from './per-key.js';
import { type ChannelTensor, floatData } from './tensor.js';
import type { Transform } from './transform.js';

/** Calls `change` with each channel's voxels, or once with all of them. */
function perChannel(
  tensor: ChannelTensor,
  channelWise: boolean,
  change: (values: Float32Array) => void,
): ChannelTensor {
  const data = floatData(tensor);
  const count = channelWise ? data.length / tensor.channels : data.length;
  for (let at = 0; at < data.length; at += count) change(data.subarray(at, at + count));
  return { ...tensor, data };
}

interface Range {
  readonly aMin: number;
  readonly aMax: number;
  readonly bMin: number | undefined;
  readonly bMax: number | undefined;
  readonly clip: boolean;
}

function mapRange(values: Float32Array, { aMin, aMax, bMin, bMax, clip }: Range): void {
  if (aMax === aMin) {
    for (let at = 0; at < values.length; at++) values[at] = values[at] - aMin + (bMin ?? 0);
    return;
  }
  const hasB = bMin !== undefined && bMax !== undefined;
  const [low, high] = clip ? [bMin ?? -Infinity, bMax ?? Infinity] : [-Infinity, Infinity];
  const width = aMax - aMin;
  const span = hasB ? bMax - bMin : 1;
  const base = hasB ? bMin : 0;
  for (let at = 0; at < values.length; at++) {
    const value = ((values[at] - aMin) / width) * span + base;
    values[at] = value < low ? low : value > high ? high : value;
  }
}

export function scaleIntensityRange(args: Arguments): Transform {
  const keys = args.keys();
  const range: Range = {
    aMin: args.required('a_min'),
    aMax: args.required('a_max'),
    bMin: args.number('b_min'),
    bMax: args.number('b_max'),
    clip: args.flag('clip', false),
  };
  return onValues(args, keys, (tensor) => perChannel(tensor, false, (values) => mapRange(values, range)));
}

export function scaleIntensity(args: Arguments): Transform {
  const keys = args.keys();
  const factor = args.number('factor');
  const [low, high] = [args.number('minv'), args.number('maxv')];
  // None for both means "keep the range and use the factor"; absent means 0 … 1.
  const minv = low ?? 0;
  const maxv = high ?? 1;
  const channelWise = args.flag('channel_wise', false);
  return onValues(args, keys, (tensor) =>
    perChannel(tensor, channelWise, (values) => {
      if (factor !== undefined) {
        for (let at = 0; at < values.length; at++) values[at] *= 1 + factor;
        return;
      }
      let [min, max] = [Infinity, -Infinity];
      for (let at = 0; at < values.length; at++) {
        if (values[at] < min) min = values[at];
        if (values[at] > max) max = values[at];
      }
      if (min === max) for (let at = 0; at < values.length; at++) values[at] *= minv;
      else
        for (let at = 0; at < values.length; at++)
          values[at] = ((values[at] - min) / (max - min)) * (maxv - minv) + minv;
    }),
  );
}

/** Subtracts the mean and divides by the population standard deviation, of all voxels or of those that are not 0. */
export function normalizeIntensity(args: Arguments): Transform {
  const keys = args.keys();
  const [subtrahend, divisor] = [args.numbers('subtrahend'), args.numbers('divisor')];
  const nonzero = args.flag('nonzero', false);
  const channelWise = args.flag('channel_wise', false);
  if (!channelWise && ((subtrahend?.length ?? 1) > 1 || (divisor?.length ?? 1) > 1))
    throw args.error('invalid-argument', 'lists of subtrahend or divisor need channel_wise');
  return onValues(args, keys, (tensor) => {
    let channel = 0;
    return perChannel(tensor, channelWise, (values) => {
      const given = (list: readonly number[] | undefined) => list?.[list.length === 1 ? 0 : channel];
      normalize(values, nonzero, given(subtrahend), given(divisor));
      channel++;
    });
  });
}

function normalize(
  values: Float32Array,
  nonzero: boolean,
  subtrahend: number | undefined,
  divisor: number | undefined,
): void {
  let [count, sum] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    if (nonzero && values[at] === 0) continue;
    count++;
    sum += values[at];
  }
  if (count === 0) return;
  const mean = sum / count;
  let squares = 0;
  if (divisor === undefined)
    for (let at = 0; at < values.length; at++) if (!nonzero || values[at] !== 0) squares += (values[at] - mean) ** 2;
  const shift = subtrahend ?? mean;
  const scale = (divisor ?? Math.sqrt(squares / count)) || 1;
  for (let at = 0; at < values.length; at++)
    if (!nonzero || values[at] !== 0) values[at] = (values[at] - shift) / scale;
}

export function scaleIntensityRangePercentiles(args: Arguments): Transform {
  const keys = args.keys();
  const [lower, upper] = [args.required('lower'), args.required('upper')];
  if (lower < 0 || lower > 100 || upper < 0 || upper > 100)
    throw args.error('invalid-argument', 'percentiles lie between 0 and 100');
  const [bMin, bMax] = [args.number('b_min'), args.number('b_max')];
  const clip = args.flag('clip', false);
  const relative = args.flag('relative', false);
  const channelWise = args.flag('channel_wise', false);
  if (relative && (bMin === undefined || bMax === undefined))
    throw args.error('invalid-argument', 'relative needs b_min and b_max');
  return onValues(args, keys, (tensor) =>
    perChannel(tensor, channelWise, (values) => {
      const sorted = values.slice().sort();
      const range: Range = {
        aMin: quantile(sorted, lower / 100),
        aMax: quantile(sorted, upper / 100),
        bMin,
        bMax,
        clip,
      };
      if (relative && bMin !== undefined && bMax !== undefined)
        mapRange(values, {
          ...range,
          bMin: (bMax - bMin) * (lower / 100) + bMin,
          bMax: (bMax - bMin) * (upper / 100) + bMin,
        });
      else mapRange(values, range);
    }),
  );
}

/** Linear interpolation between order statistics (numpy's and torch's default). */
function quantile(sorted: Float32Array, q: number): number {
  const place = q * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return Math.fround(sorted[low] + (sorted[high] - sorted[low]) * (place - low));
}

/** Keeps what is above (or below) a threshold, the rest becomes `cval`. */
export function thresholdIntensity(args: Arguments): Transform {
  const keys = args.keys();
  const threshold = args.required('threshold');
  const above = args.flag('above', true);
  const cval = args.number('cval') ?? 0;
  return onValues(args, keys, (tensor) =>
    perChannel(tensor, false, (values) => {
      for (let at = 0; at < values.length; at++)
        if (above ? !(values[at] > threshold) : !(values[at] < threshold)) values[at] = cval;
    }),
  );
}
