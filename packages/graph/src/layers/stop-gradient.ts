/** A value that differentiation takes for a constant. */
import type { Value } from '../graph/value.js';
import { identity } from './arithmetic.js';

export const stopGradient = (x: Value): Value => x.graph.block({ output: identity(x), inputs: [x], rule: () => [] });
