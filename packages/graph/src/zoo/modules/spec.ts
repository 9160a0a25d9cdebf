/** MONAI's way to say which layer: a name, or a name with arguments; names in any case. */
import type { Arguments } from '../arguments.js';

export interface LayerSpec {
  /** Lower case. */
  readonly name: string;
  /** What the configuration gives, to be read by the layer. */
  readonly arguments: Arguments;
}
