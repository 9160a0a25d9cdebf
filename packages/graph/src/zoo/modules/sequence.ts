/** Layers one after the other. */
import type { Layer } from '../network.js';

export const chain =
  (layers: readonly Layer[]): Layer =>
  (x) =>
    layers.reduce((value, layer) => layer(value), x);
