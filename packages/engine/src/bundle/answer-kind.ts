/** What a bundle answers with, and of how many axes its images are: told by MONAI's `network_data_format`, before anything runs. */
import type { Bundle } from './bundle.js';

export type AnswerKind = 'segmentation' | 'classification' | 'regression';

/** MONAI's zoo has no word of its own for regression: `tuples` are numbers that are no probabilities. */
export function answerKindOf({ isocenter, metadata }: Bundle): AnswerKind {
  const [output] = Object.values(metadata.network_data_format?.outputs ?? {});
  if (isocenter.structures.length > 0) return 'segmentation';
  if (output?.type === 'tuples') return 'regression';
  return isocenter.classes.length > 0 ? 'classification' : 'segmentation';
}

/** A vector of numbers (a classical model) is no image, and no study can be made into one. */
export function takesFeatures({ metadata }: Bundle): boolean {
  const [input] = Object.values(metadata.network_data_format?.inputs ?? {});
  return input?.type === 'tuples' && input.format === 'features';
}

/** The network is shown one image of rows and columns at a time. */
export function looksAtSingleImages({ metadata }: Bundle): boolean {
  const [input] = Object.values(metadata.network_data_format?.inputs ?? {});
  return input?.spatial_shape?.length === 2;
}
