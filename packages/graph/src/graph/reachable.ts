/** What of a graph is needed for some of its values: the rest is not exported. */
import type { Graph } from './graph.js';
import type { Node } from './node.js';
import type { Value } from './value.js';

export interface Reachable {
  /** In order of execution. */
  readonly nodes: readonly Node[];
  /** Inputs, parameters and constants. */
  readonly sources: ReadonlySet<Value>;
}

export function reachable(graph: Graph, from: Iterable<Value>): Reachable {
  const wanted = new Set<Node>();
  const sources = new Set<Value>();
  const open = [...from];
  for (let value = open.pop(); value; value = open.pop()) {
    if (!value.node) sources.add(value);
    else if (!wanted.has(value.node)) {
      wanted.add(value.node);
      for (const input of value.node.inputs) if (input) open.push(input);
    }
  }
  return { nodes: graph.nodes.filter((node) => wanted.has(node)), sources };
}
