/** The port of inferers: how a network that sees a part of the image gives an answer for all of it. */
import type { Watch } from '@isocenter/volume';
import type { ChannelTensor } from '../transforms/tensor.js';

/** Runs the network on [channels][…spatial] (last axis fastest); answers [channels][…spatial], or [numbers]. */
export type Predict = (window: Float32Array, channels: number, spatial: readonly number[]) => Promise<NetworkAnswer>;

export interface NetworkAnswer {
  readonly data: Float32Array;
  readonly channels: number;
  /** Empty when the network answers one vector for all it saw. */
  readonly spatial: readonly number[];
}

/**
 * Takes the class scores plane by plane, in ascending order of the plane's index along the slow axis. Nothing of the
 * volume of all classes is ever held by the inferer beyond the planes that later windows still change.
 */
export interface PlaneSink {
  /** Called once, before the first plane. `slow` is the axis (0 = i) the planes are normal to. */
  begin(channels: number, slow: number): void;
  /** [channels][p][q] with p < q the other two axes, q fastest. The array is the sink's to change until it returns. */
  plane(index: number, data: Float32Array): void;
  /** Instead of planes, when the network answers a vector. */
  vector(values: Float32Array): void;
}

export interface Inferer {
  readonly name: string;
  /** Spatial window (i, j, k) of the largest call, for the memory forecast. */
  largestWindow(tensor: ChannelTensor): readonly [number, number, number];
  /** Planes that are held at once, and the axis they are normal to, for the memory forecast. */
  heldPlanes(tensor: ChannelTensor): { readonly planes: number; readonly slow: number };
  run(predict: Predict, tensor: ChannelTensor, sink: PlaneSink, watch: Watch): Promise<void>;
}
