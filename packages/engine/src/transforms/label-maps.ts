/** Post-processing of label maps by connected components (specs/monai.md C.4), on one label map or on one-hot channels. */
import {
  type Connectivity,
  fillHoles,
  keepLargestComponents,
  removeSmallComponents,
  type Size3,
  spacingOf,
} from '@isocenter/volume';
import type { Arguments } from './arguments.js';
import { onValues } from './per-key.js';
import type { ChannelTensor } from './tensor.js';
import type { Transform } from './transform.js';
import { TransformError } from './transform-error.js';

type Labels = Uint8Array | Uint16Array;

/** MONAI counts the axes along which a neighbour may differ; None is all of them. */
function connectivityOf(args: Arguments, standard: Connectivity): Connectivity {
  const hops = args.number('connectivity');
  if (hops === undefined) return standard;
  const connectivity = ({ 1: 6, 2: 18, 3: 26 } as const)[hops as 1 | 2 | 3];
  if (!connectivity) throw args.error('invalid-argument', 'connectivity is 1, 2 or 3');
  return connectivity;
}

/** Labels are whole numbers; computed ones may come as floats. */
function wholeLabels(tensor: ChannelTensor, name: string): Labels {
  if (!(tensor.data instanceof Float32Array)) return tensor.data;
  const out = new Uint16Array(tensor.data.length);
  for (let at = 0; at < out.length; at++) {
    out[at] = tensor.data[at];
    if (out[at] !== tensor.data[at])
      throw new TransformError(
        'wrong-shape',
        `${name}: the entry is no label map (it has the value ${tensor.data[at]})`,
        { where: name, next: 'Put AsDiscreted before it' },
      );
  }
  return out;
}

/** Runs `work` on every label map: the one there is, or each channel as a mask. */
function onLabels(
  args: Arguments,
  keys: readonly string[],
  work: (data: Labels, size: Size3, channel: number, oneHot: boolean, tensor: ChannelTensor) => void,
  oneHotGiven?: boolean,
): Transform {
  return onValues(args, keys, (tensor) => {
    const data = wholeLabels(tensor, args.name);
    const oneHot = oneHotGiven ?? tensor.channels > 1;
    const count = data.length / tensor.channels;
    for (let channel = 0; channel < tensor.channels; channel++)
      work(data.subarray(channel * count, (channel + 1) * count), tensor.size, channel, oneHot, tensor);
    return { ...tensor, data };
  });
}

export function keepLargest(args: Arguments): Transform {
  const keys = args.keys();
  const labels = args.numbers('applied_labels');
  const oneHot = args.get('is_onehot');
  const independent = args.flag('independent', true);
  const connectivity = connectivityOf(args, 26);
  const count = args.number('num_components') ?? 1;
  if (!independent && oneHot === true)
    throw args.error('unsupported', 'independent = false is not supported for one-hot entries');
  return onLabels(
    args,
    keys,
    (data, size, channel, isOneHot) => {
      if (!isOneHot)
        keepLargestComponents(data, size, { ...(labels ? { labels } : {}), independent, connectivity, count });
      else if (!independent)
        throw args.error('unsupported', 'independent = false is not supported for one-hot entries');
      else if (labels ? labels.includes(channel) : channel > 0)
        keepLargestComponents(data, size, { connectivity, count });
    },
    typeof oneHot === 'boolean' ? oneHot : undefined,
  );
}

export function removeSmallObjects(args: Arguments): Transform {
  const keys = args.keys();
  const minSize = args.number('min_size') ?? 64;
  const connectivity = connectivityOf(args, 6);
  const independent = args.flag('independent_channels', true);
  const byMeasure = args.flag('by_measure', false);
  args.only('pixdim');
  return onLabels(args, keys, (data, size, _channel, _oneHot, tensor) => {
    const [x, y, z] = spacingOf(tensor.affine);
    removeSmallComponents(
      data,
      size,
      byMeasure ? Math.ceil(minSize / (x * y * z)) : minSize,
      connectivity,
      independent,
    );
  });
}

export function labelFilter(args: Arguments): Transform {
  const keys = args.keys();
  const labels = new Set(args.numbers('applied_labels') ?? []);
  return onValues(args, keys, (tensor) => {
    const { data } = tensor;
    for (let at = 0; at < data.length; at++) if (data[at] !== 0 && !labels.has(data[at])) data[at] = 0;
    return tensor;
  });
}

export function fillLabelHoles(args: Arguments): Transform {
  const keys = args.keys();
  const labels = args.numbers('applied_labels');
  const connectivity = connectivityOf(args, 26);
  return onLabels(args, keys, (data, size, channel, oneHot) => {
    if (!oneHot) fillHoles(data, size, { ...(labels ? { labels } : {}), connectivity });
    else if (labels ? labels.includes(channel) : channel > 0) fillHoles(data, size, { connectivity });
  });
}
