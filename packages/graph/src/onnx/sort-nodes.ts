/** Nodes of a file in an order of execution. Files should have them so; those that do not are sorted, or their cycle is named. */
import { GraphError } from '../errors/graph-error.js';
import type { NodeProto } from './onnx.generated.js';

/** Throws GraphError `cycle`, `missing-input`, `duplicate-name`. */
export function sortNodes(nodes: readonly NodeProto[], given: Iterable<string>): readonly NodeProto[] {
  const makers = new Map<string, NodeProto>();
  const sources = new Set(given);
  for (const node of nodes)
    for (const name of node.output) {
      if (name === '') continue;
      if (makers.has(name) || sources.has(name))
        throw new GraphError('duplicate-name', `${say(node)}: "${name}" is made twice`, { where: node.name });
      makers.set(name, node);
    }
  const sorted: NodeProto[] = [];
  const state = new Map<NodeProto, 'open' | 'done'>();
  // Without recursion: networks are thousands of nodes deep.
  for (const first of nodes) {
    const path: { readonly node: NodeProto; next: number }[] = [];
    const enter = (node: NodeProto) => {
      state.set(node, 'open');
      path.push({ node, next: 0 });
    };
    if (!state.has(first)) enter(first);
    while (path.length > 0) {
      const top = path[path.length - 1];
      if (top.next === top.node.input.length) {
        state.set(top.node, 'done');
        sorted.push(top.node);
        path.pop();
        continue;
      }
      const name = top.node.input[top.next++];
      if (name === '' || sources.has(name)) continue;
      const maker = makers.get(name);
      if (!maker)
        throw new GraphError('missing-input', `${say(top.node)}: its input "${name}" is made by no node`, {
          where: top.node.name,
        });
      if (state.get(maker) === 'open') {
        const loop = path.slice(path.findIndex(({ node }) => node === maker)).map(({ node }) => say(node));
        throw new GraphError('cycle', `The graph runs in a circle: ${loop.join(' needs ')} needs ${say(maker)}`, {
          where: maker.name,
          next: 'Export the model again; an ONNX graph has no loops',
        });
      }
      if (!state.has(maker)) enter(maker);
    }
  }
  return sorted;
}

const say = ({ opType, name, output }: NodeProto): string => `${opType} "${name || output[0]}"`;
