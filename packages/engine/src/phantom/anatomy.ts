/** What an anatomy of the phantom gives the canvas: paint in order, and the structures that its labels name. */
import type { SegmentedStructure } from '@isocenter/volume';
import type { Paint } from './canvas.js';

export interface Anatomy {
  readonly background: number;
  readonly noise: number;
  /** Lowest value that the scanner gives. */
  readonly floor: number;
  readonly paint: readonly Paint[];
  readonly structures: readonly SegmentedStructure[];
}
