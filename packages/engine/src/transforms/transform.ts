/** The port of transforms: a sample of named tensors goes through them in order. */
import type { Watch } from '@isocenter/volume';
import type { SpatialStep } from './spatial-step.js';
import type { ChannelTensor } from './tensor.js';

/** A tensor and what was done to its grid since it was loaded. */
export interface SampleEntry {
  readonly tensor: ChannelTensor;
  readonly steps: readonly SpatialStep[];
}

export type Sample = Map<string, SampleEntry>;

/**
 * Work on classes at one voxel: `channels` numbers in, `channelsOut` out. Arrays are [channel][voxel]. May answer with
 * the array it was given, changed.
 */
export interface Pointwise {
  channelsOut(channels: number): number;
  apply(data: Float32Array, channels: number, count: number): Float32Array;
  /** Results are whole numbers of 0 … this; undefined when they are not whole. */
  largest(channels: number): number | undefined;
}

export interface Transform {
  /** Name in the configuration, without the dotted path. */
  readonly name: string;
  readonly keys: readonly string[];
  /** Changes the sample's entries. Throws TransformError. */
  apply(sample: Sample, watch: Watch): void;
  /** Nothing happens in it. */
  readonly neutral?: true;
  /** Present when the transform can run on any part of the voxels; `apply` does the same on all of them. */
  readonly pointwise?: Pointwise;
  /** Present on Invertd: whose steps are undone, and whether without interpolation. */
  readonly inverts?: { readonly originalKey: string; readonly nearest: boolean };
}
