/** Names in a file: outputs are called as the graph says, and what is inside gives way to them. */
import { GraphError } from '../errors/graph-error.js';
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';

export interface ExportedNames {
  readonly of: (value: Value) => string;
  /** Outputs whose value already has another name in the file (an input, or two outputs of one value): they need a copy. */
  readonly copies: readonly (readonly [name: string, value: Value])[];
}

/** Throws GraphError `duplicate-name` where an output is called like an input or parameter that is another value. */
export function exportedNames(graph: Graph): ExportedNames {
  const names = new Map<Value, string>();
  const copies: [string, Value][] = [];
  for (const [name, value] of graph.outputs) {
    if (value.kind === 'computed' && !names.has(value)) names.set(value, name);
    else copies.push([name, value]);
  }
  for (const value of [...graph.inputs, ...graph.parameters])
    if (graph.outputs.has(value.name))
      throw new GraphError('duplicate-name', `"${value.name}" is the name of an output and of an ${value.kind}`, {
        where: value.name,
      });
  const of = (value: Value): string =>
    names.get(value) ?? (graph.outputs.has(value.name) ? `${value.name} (inside)` : value.name);
  return { of, copies };
}
