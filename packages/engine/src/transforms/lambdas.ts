/**
 * Lambdad: Python functions are never run. The few that bundles of the zoo really use are known by their text
 * (spaces do not count) and done by code of ours; any other is refused.
 */
import { LambdaText } from '../bundle/config/values.js';
import type { Arguments } from './arguments.js';
import { onVoxels } from './per-key.js';
import type { Pointwise, Transform } from './transform.js';

const withoutBackground: Pointwise = {
  channelsOut: (channels) => channels - 1,
  largest: () => undefined,
  apply: (data, _channels, count) => data.slice(count),
};

/** BraTS: enhancing tumour (channel 2) over core (channel 0) over whole tumour (channel 1). */
const bratsLabels: Pointwise = {
  channelsOut: () => 1,
  largest: () => 4,
  apply(data, _channels, count) {
    const out = new Float32Array(count);
    for (let at = 0; at < count; at++)
      out[at] = data[2 * count + at] > 0 ? 4 : data[at] > 0 ? 1 : data[count + at] > 0 ? 2 : 0;
    return out;
  },
};

const nanTo = (replacement: number): Pointwise => ({
  channelsOut: (channels) => channels,
  largest: () => undefined,
  apply(data) {
    for (let at = 0; at < data.length; at++) if (Number.isNaN(data[at])) data[at] = replacement;
    return data;
  },
});

const KNOWN: Readonly<Record<string, Pointwise>> = {
  'lambdax:x[1:]': withoutBackground,
  'lambdax:torch.where(x[[2]]>0,4,torch.where(x[[0]]>0,1,torch.where(x[[1]]>0,2,0)))': bratsLabels,
  'lambdax:torch.nan_to_num(x,nan=255)': nanTo(255),
  'lambdax:torch.nan_to_num(x,nan=0)': nanTo(0),
};

export function lambda(args: Arguments): Transform {
  const keys = args.keys();
  const func = args.get('func');
  args.only('inv_func');
  args.only('overwrite', true);
  const pointwise = func instanceof LambdaText ? KNOWN[func.text.replace(/\s+/g, '')] : undefined;
  if (!pointwise)
    throw args.error(
      'unsupported',
      `this function is not one of those known: ${func instanceof LambdaText ? func.text : 'not a lambda'}`,
    );
  return onVoxels(args, keys, pointwise);
}
