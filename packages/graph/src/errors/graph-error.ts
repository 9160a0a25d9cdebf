/** What can be wrong with a graph. Messages name the node and its operator; `where` is the node (or value, or file place). */
import { Failure } from './failure.js';

export type GraphErrorKind =
  | 'cycle'
  | 'missing-input'
  | 'wrong-rank'
  | 'wrong-shape'
  | 'wrong-type'
  | 'wrong-attribute'
  | 'duplicate-name'
  | 'unsupported-operator'
  | 'no-gradient'
  | 'not-onnx'
  | 'too-large'
  | 'wrong-weights'
  | 'not-finite';

export class GraphError extends Failure<GraphErrorKind> {}
