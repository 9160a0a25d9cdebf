/** A shape rule looks at a node (inputs, attributes) and says type and shape of each output, or throws through `node.fail`. */
import type { Node } from '../graph/node.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export type ShapeRule = (node: Node) => readonly TensorType[];
export type ShapeRules = Readonly<Record<string, ShapeRule>>;
