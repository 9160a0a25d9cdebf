/** What every training step is told: its number and its learning rate. Both are inputs, so that one model serves a whole training. */
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { add, mod, mul } from '../layers/arithmetic.js';
import { int64Scalar } from '../layers/layout.js';

export const STEP_INPUT = 'step';
export const RATE_INPUT = 'learning_rate';

const once = (graph: Graph, name: string, dtype: 'int64' | 'float32'): Value =>
  graph.inputs.find((value) => value.name === name) ?? graph.input(name, dtype, []);

/** How many steps were done before this one: int64 scalar. */
export const stepNumber = (graph: Graph): Value => once(graph, STEP_INPUT, 'int64');
export const learningRate = (graph: Graph): Value => once(graph, RATE_INPUT, 'float32');

/** An odd multiplier, 2³² / golden ratio: neighbouring steps get far keys. */
const SPREAD = 0x9e3779b1;
const WORD = 2 ** 32;

/** The key of dropout masks: another one in each step and for each seed. */
export function dropoutKey(graph: Graph, seed: number): Value {
  const step = stepNumber(graph);
  const spread = mul(mod(step, int64Scalar(step, 2 ** 31)), int64Scalar(step, SPREAD));
  return mod(add(spread, int64Scalar(step, seed)), int64Scalar(step, WORD));
}
