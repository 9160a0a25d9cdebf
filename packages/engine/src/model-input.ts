/** What a model is given: its channels by name, each a Volume in physical units (CT: HU) with its affine. */
import type { Volume } from '@isocenter/volume';

export interface ModelChannel {
  /** A name that the bundle's `isocenter.channels` lists. */
  readonly name: string;
  readonly volume: Volume;
  /** DICOM Modality where it is known; checked against the channel's `modalities`. */
  readonly modality?: string;
  /** `HU`, `SUVbw` …; checked against the channel's `units`. */
  readonly units?: string;
}

/** The first channel's grid is the grid of the answer. */
export interface ModelInput {
  readonly channels: readonly ModelChannel[];
}
