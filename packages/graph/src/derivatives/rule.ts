/**
 * A derivative rule: given a node and the gradient of the loss with respect to its outputs, the gradient with respect to each
 * input (undefined: none, as for whole numbers). Rules build ordinary nodes, so gradients can be differentiated again.
 */
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';

export interface Backward {
  readonly node: Node;
  /** Gradient of the first output. */
  readonly dy: Value;
  /** Gradients of all outputs; undefined where the loss does not depend on one. */
  readonly dys: readonly (Value | undefined)[];
  /** Whether the gradient of this input is needed: what is not is not built. */
  readonly wants: (input: number) => boolean;
}

export type GradientRule = (backward: Backward) => readonly (Value | undefined)[];
export type GradientRules = Readonly<Record<string, GradientRule>>;

/** For operators that are flat almost everywhere, or answer whole numbers or truth values: no gradient passes. */
export const flat: GradientRule = () => [];
