/** Every transform we know, by its name in MONAI (dictionary form). A name that is not here cannot be run. */
import type { TargetObject } from '../bundle/config/values.js';
import { activations } from './activations.js';
import { Arguments } from './arguments.js';
import { centerSpatialCrop, cropForeground, divisiblePad, spatialCrop, spatialPad } from './boxes.js';
import { asDiscrete } from './discrete.js';
import {
  normalizeIntensity,
  scaleIntensity,
  scaleIntensityRange,
  scaleIntensityRangePercentiles,
  thresholdIntensity,
} from './intensity.js';
import { invert } from './inverting.js';
import { fillLabelHoles, keepLargest, labelFilter, removeSmallObjects } from './label-maps.js';
import { lambda } from './lambdas.js';
import { concatItems, flip, repeatChannel, squeezeDim, transpose } from './layout.js';
import { castToType, unchanged } from './loading.js';
import { orientation } from './orientation.js';
import { resizing } from './resizing.js';
import { spacing } from './spacing.js';
import type { Transform } from './transform.js';

export interface TransformContext {
  /** The bundle was made with MONAI older than 1.5 (its CropForeground clipped to the image by default). */
  readonly monaiBefore15: boolean;
}

type Factory = (args: Arguments, context: TransformContext) => Transform;

const keeps =
  (...allowed: string[]): Factory =>
  (args) =>
    unchanged(args, allowed);

const SAVE = [
  'output_dir',
  'output_postfix',
  'output_ext',
  'resample',
  'mode',
  'padding_mode',
  'scale',
  'align_corners',
  'output_dtype',
  'squeeze_end_dims',
  'data_root_dir',
  'separate_folder',
  'print_log',
  'output_format',
  'writer',
  'output_name_formatter',
  'folder_layout',
  'savepath_in_metadict',
  'channel_dim',
  'filename',
  'overwrite',
  'flush',
  'delimiter',
  'saver',
  'file_name',
  'squeeze',
];

export const transformTable: Readonly<Record<string, Factory>> = Object.assign(Object.create(null), {
  LoadImaged: keeps('reader', 'dtype', 'expanded_dict', 'converter'),
  EnsureChannelFirstd: keeps('channel_dim'),
  AddChanneld: keeps(),
  AsChannelFirstd: keeps('channel_dim'),
  EnsureTyped: keeps(),
  ToTensord: keeps(),
  ToNumpyd: keeps(),
  ToDeviced: keeps('non_blocking'),
  FromMetaTensord: keeps(),
  ToMetaTensord: keeps(),
  Identityd: keeps(),
  DeleteItemsd: keeps('sep', 'use_re'),
  SaveImaged: keeps(...SAVE),
  SaveClassificationd: keeps(...SAVE),
  CastToTyped: castToType,
  Orientationd: orientation,
  Spacingd: spacing,
  Resized: resizing,
  SpatialPadd: spatialPad,
  DivisiblePadd: divisiblePad,
  CenterSpatialCropd: centerSpatialCrop,
  SpatialCropd: spatialCrop,
  CropForegroundd: (args, context) => cropForeground(args, context.monaiBefore15),
  ScaleIntensityd: scaleIntensity,
  ScaleIntensityRanged: scaleIntensityRange,
  ScaleIntensityRangePercentilesd: scaleIntensityRangePercentiles,
  NormalizeIntensityd: normalizeIntensity,
  ThresholdIntensityd: thresholdIntensity,
  SqueezeDimd: squeezeDim,
  Transposed: transpose,
  ConcatItemsd: concatItems,
  RepeatChanneld: repeatChannel,
  Flipd: flip,
  Activationsd: activations,
  AsDiscreted: asDiscrete,
  Invertd: invert,
  KeepLargestConnectedComponentd: keepLargest,
  FillHolesd: fillLabelHoles,
  RemoveSmallObjectsd: removeSmallObjects,
  LabelFilterd: labelFilter,
  Lambdad: lambda,
} satisfies Record<string, Factory>);

/** Throws TransformError on arguments that are wrong or not supported; unknown names are the caller's to report. */
export function makeTransform(object: TargetObject, context: TransformContext): Transform {
  return transformTable[object.shortName](new Arguments(object), context);
}
