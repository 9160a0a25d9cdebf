/** One edge of a graph: a tensor that is known by name, type and shape before anything runs. */
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Graph } from './graph.js';
import type { Node } from './node.js';

/** How a parameter starts when nobody brings weights; bounds are worked out by the layer that declares it. */
export type Initial =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number };

export type ValueKind = 'input' | 'parameter' | 'constant' | 'computed';

export interface Value {
  readonly kind: ValueKind;
  /** Unique in its graph; of a parameter its PyTorch key. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly graph: Graph;
  /** The node that computes it, for `computed`. */
  readonly node?: Node;
  /** The contents, for `constant`. */
  readonly constant?: Tensor;
}

/** A tensor that is learned, or (trainable false) carried along, as the running mean of a batch norm. */
export interface Parameter extends Value {
  readonly kind: 'parameter';
  readonly trainable: boolean;
  readonly initial: Initial;
}
