/**
 * Reverse-mode differentiation: walks the nodes backwards from the loss, asks each one's rule for the gradients of its inputs,
 * and adds up what comes back to a value on several ways. The result is made of ordinary nodes of the same graph.
 */
import { GraphError } from '../errors/graph-error.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { constantLike, sum } from '../layers/arithmetic.js';
import { isFloat } from '../tensor/dtype.js';
import { showShape } from '../tensor/shape.js';
import { gradientRules } from './table.js';

/**
 * Gradients of `loss` (one number) with respect to `wrt`, in their order; undefined where the loss does not depend on one.
 * Throws GraphError `wrong-shape` (the loss is no scalar), `no-gradient` (names the node and operator that has no rule).
 */
export function gradients(graph: Graph, loss: Value, wrt: readonly Value[]): readonly (Value | undefined)[] {
  if (loss.shape.length !== 0 || !isFloat(loss.dtype))
    throw new GraphError('wrong-shape', `The loss "${loss.name}" is ${loss.dtype} ${showShape(loss.shape)}`, {
      where: loss.name,
      next: 'Reduce it to one real number (reduceMean)',
    });
  return graph.scope('gradient', () => walkBack(graph, loss, wrt));
}

function walkBack(graph: Graph, loss: Value, wrt: readonly Value[]): readonly (Value | undefined)[] {
  const steps = stepsOf(graph);
  const needed = dependents(steps, wrt);
  const arriving = new Map<Value, Value[]>([[loss, [constantLike(loss, 1)]]]);
  const answers = new Map<Value, Value>();

  /** The gradient of a value, when all that depends on it has been visited. */
  const settle = (value: Value): Value | undefined => {
    const terms = arriving.get(value);
    if (!terms || !needed.has(value)) return undefined;
    const whole = graph.scope(value.name, () => sum(terms[0], ...terms.slice(1)));
    answers.set(value, whole);
    arriving.delete(value);
    return whole;
  };

  for (const step of steps.reverse()) {
    if (!step.outputs.some((value) => needed.has(value) && arriving.has(value))) continue;
    const dys = step.outputs.map(settle);
    const parts = graph.scope(step.name, () => step.rule(dys, (i) => wanted(needed, step.inputs[i])));
    step.inputs.forEach((input, i) => {
      const part = parts[i];
      if (!part || !input || !wanted(needed, input)) return;
      const terms = arriving.get(input);
      if (terms) terms.push(part);
      else arriving.set(input, [part]);
    });
  }
  return wrt.map((value) => answers.get(value) ?? settle(value));
}

const wanted = (needed: ReadonlySet<Value>, value: Value | undefined): boolean =>
  value !== undefined && needed.has(value) && isFloat(value.dtype);

/** A node or a block of nodes with a closed form, as one step of the way back. */
interface Step {
  readonly name: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly rule: (
    dys: readonly (Value | undefined)[],
    wants: (input: number) => boolean,
  ) => readonly (Value | undefined)[];
}

/** All steps in order of execution. The last node of a block stands for the block; the nodes inside get no gradient from it. */
function stepsOf(graph: Graph): Step[] {
  return graph.nodes.map((node) => {
    const block = graph.blocks.get(node.output);
    if (!block) return { name: node.name, inputs: node.inputs, outputs: node.outputs, rule: ruleOf(node) };
    const rule: Step['rule'] = ([dy]) => (dy ? block.rule(dy) : []);
    return { name: node.name, inputs: block.inputs, outputs: [block.output], rule };
  });
}

function ruleOf(node: Node): Step['rule'] {
  return (dys, wants) => {
    const rule = gradientRules[node.operator];
    if (!rule)
      return node.fail('no-gradient', 'this operator has no derivative', 'Compose it from operators that have one');
    return dys[0] === undefined && node.outputs.length === 1 ? [] : rule({ node, dy: dys[0] as Value, dys, wants });
  };
}

/** All values that depend on one of `sources`, and these. */
function dependents(steps: readonly Step[], sources: readonly Value[]): ReadonlySet<Value> {
  const found = new Set<Value>(sources);
  for (const { inputs, outputs } of steps)
    if (inputs.some((value) => value && found.has(value))) for (const value of outputs) found.add(value);
  return found;
}
