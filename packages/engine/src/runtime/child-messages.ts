/** What parent and compute child say to each other: a job file, and small IPC messages. Voxels never travel by IPC. */
import type { Grid, SegmentedStructure } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import type { ClassificationPrediction } from '../prediction.js';
import type { VolumeHeader } from './exchange-folder.js';

export interface Job {
  readonly bundle: Bundle;
  readonly channels: readonly {
    readonly name: string;
    readonly volume: VolumeHeader;
    readonly modality?: string;
    readonly units?: string;
  }[];
  readonly memoryLimitBytes?: number;
  readonly threads: number;
}

export type Answer =
  | ClassificationPrediction
  | {
      readonly kind: 'segmentation';
      readonly grid: Grid;
      readonly layers: readonly VolumeHeader[];
      readonly structures: readonly SegmentedStructure[];
    };

export type ChildMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly step: string }
  | { readonly kind: 'answer'; readonly answer: Answer; readonly peakMemoryBytes: number }
  | {
      readonly kind: 'failure';
      readonly name: string;
      readonly failure: string;
      readonly message: string;
      readonly where?: string | undefined;
      readonly next?: string | undefined;
    };
