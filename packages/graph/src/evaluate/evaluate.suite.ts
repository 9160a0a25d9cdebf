/** Runs a graph in double precision, one element after the other: the obvious twin of ONNX Runtime, for tests. */
import type { Graph } from '../graph/graph.js';
import { reachable } from '../graph/reachable.js';
import type { Value } from '../graph/value.js';
import { numbersOf } from '../tensor/tensor.js';
import type { Arr } from './array.suite.js';
import { evaluators } from './operators.suite.js';

/** Values of `wanted`, given inputs and parameters by name. */
export function evaluate(graph: Graph, given: ReadonlyMap<string, Arr>, wanted: readonly Value[]): readonly Arr[] {
  const known = new Map<Value, Arr>();
  const { nodes, sources } = reachable(graph, wanted);
  for (const value of sources) {
    const found = value.constant
      ? { shape: value.shape, data: Float64Array.from(numbersOf(value.constant)) }
      : given.get(value.name);
    if (!found) throw new Error(`no value is given for ${value.name}`);
    known.set(value, found);
  }
  for (const node of nodes) {
    const rule = evaluators[node.operator];
    if (!rule) throw new Error(`the evaluator does not know ${node.operator}`);
    const answer = rule(
      node,
      node.inputs.map((value) => (value ? known.get(value) : undefined) as Arr),
    );
    const outputs = 'data' in answer ? [answer as Arr] : (answer as readonly Arr[]);
    node.outputs.forEach((value, i) => {
      if (outputs[i].shape.join() !== value.shape.join())
        throw new Error(`${node.operator} "${node.name}" made ${outputs[i].shape}, its rule says ${value.shape}`);
      known.set(value, outputs[i]);
    });
  }
  return wanted.map((value) => known.get(value) as Arr);
}
