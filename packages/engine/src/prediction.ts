/** What a model said about a study. A closed union: encoders switch over `kind`, new kinds of answers are added here. */
import type { Segmentation } from '@isocenter/volume';

/** Lies on the grid of the first input channel as it was loaded, whatever grid the network worked on. */
export interface SegmentationPrediction {
  readonly kind: 'segmentation';
  readonly segmentation: Segmentation;
}

/** In the order of the network's outputs; the numbers are what the bundle's post-processing made of them (0..1). */
export interface ClassificationPrediction {
  readonly kind: 'classification';
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
}

export type Prediction = SegmentationPrediction | ClassificationPrediction;
