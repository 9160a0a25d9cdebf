/** What one run of a classifying or measuring model reports: JSON-able, no patient data, no input file names. */
import type { Finding, Provenance } from '@isocenter/dicom';
import type { ImageOfStudy } from './intake/single-images.js';
import type { InputDescription } from './study-run.js';

/** In the order of the network's outputs; 0..1. */
export interface ClassProbability {
  readonly name: string;
  readonly probability: number;
}

export interface MeasuredValue {
  readonly name: string;
  readonly value: number;
  /** As the bundle states it. */
  readonly unit?: string;
}

/** About one volume, or one image of a model that looks at single images. */
export interface StudyPrediction {
  readonly SeriesInstanceUID?: string;
  /** The images that the model saw; absent for NIfTI and NRRD. */
  readonly images?: readonly ImageOfStudy[];
  /** Plane of the volume, from 0; absent where the model saw all of it, or an image that stands alone. */
  readonly plane?: number;
  readonly input: InputDescription;
  readonly classes?: readonly ClassProbability[];
  readonly values?: readonly MeasuredValue[];
}

export interface PredictReport {
  readonly kind: 'predict-report';
  readonly answer: 'classification' | 'regression';
  readonly provenance: Provenance;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly predictions: readonly StudyPrediction[];
  readonly findings: readonly Finding[];
  readonly reasons: readonly string[];
  /** Full paths of what was written. */
  readonly files: readonly string[];
  /** By step, and 'total'. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** Largest resident set of this process, or of the children that ran the model. */
  readonly peakMemoryBytes: number;
}
