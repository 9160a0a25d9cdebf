/**
 * Graphs to ONNX files. Messages are written by protobuf, but the bytes of weights are put between them as they lie in
 * memory: a model of 120 MB is written in the time of one copy (protobuf's own writer takes 1.6 s for it).
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { GraphError } from '../errors/graph-error.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { reachable } from '../graph/reachable.js';
import type { Value } from '../graph/value.js';
import { codeOfDtype } from '../tensor/onnx-types.js';
import { sameShape, showShape } from '../tensor/shape.js';
import { bytesOf, type Tensor } from '../tensor/tensor.js';
import { attributeProto } from './attribute-proto.js';
import { exportedNames } from './exported-names.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx.generated.js';
import { tensorProto } from './tensor-proto.js';
import { IR_VERSION, LARGEST_MODEL_BYTES, OPSET } from './versions.js';
import { join, lengthPrefix, total } from './wire.js';

export interface WriteOptions {
  /** Parameters found here are stored in the model; the others become its inputs, by their names. */
  readonly weights?: ReadonlyMap<string, Tensor>;
  /** Free text pairs that travel in the model. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const PRODUCER = 'isocenter';

/** Field numbers of the schema, for what is written around protobuf. */
const GRAPH_OF_MODEL = 7;
const INITIALIZER_OF_GRAPH = 5;
const RAW_DATA_OF_TENSOR = 9;

/** The model as one array of bytes. Throws GraphError `wrong-weights`, `missing-input` (no outputs), `too-large`. */
export const writeModel = (graph: Graph, options: WriteOptions = {}): Uint8Array => join(modelChunks(graph, options));

/** The same in pieces, of which those with weights are views of the given tensors: nothing large is copied. */
export function modelChunks(graph: Graph, { weights, metadata = {} }: WriteOptions = {}): readonly Uint8Array[] {
  if (graph.outputs.size === 0)
    throw new GraphError('missing-input', `Graph "${graph.name}" has no outputs`, {
      next: 'Name one with graph.output',
    });
  const needed = reachable(graph, graph.outputs.values());
  const stored: [string, Tensor][] = [];
  // An input that is not used stays in the signature; a parameter that is not used is left out.
  const asked: Value[] = [...graph.inputs];
  for (const parameter of graph.parameters) {
    if (!needed.sources.has(parameter)) continue;
    const tensor = weightOf(parameter, weights);
    if (tensor) stored.push([parameter.name, tensor]);
    else asked.push(parameter);
  }
  // Constants are nodes, so that a reader can tell them from weights; ONNX Runtime makes them initializers when it loads.
  const constants = graph.constants.filter((value) => needed.sources.has(value));
  const { of, copies } = exportedNames(graph);
  const body = toBinary(
    GraphProtoSchema,
    create(GraphProtoSchema, {
      name: graph.name,
      node: [
        ...constants.map((value) => constantProto(of(value), value)),
        ...needed.nodes.map((node) => nodeProto(node, of)),
        ...copies.map(([name, value]) => copyProto(name, of(value))),
      ],
      input: asked.map((value) => valueInfo(value.name, value)),
      output: [...graph.outputs].map(([name, value]) => valueInfo(name, value)),
    }),
  );
  const graphChunks = [body, ...stored.flatMap(([name, tensor]) => initializer(name, tensor))];
  const head = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: PRODUCER,
      opsetImport: [{ domain: '', version: OPSET }],
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    }),
  );
  const chunks = [head, lengthPrefix(GRAPH_OF_MODEL, total(graphChunks)), ...graphChunks];
  if (total(chunks) > LARGEST_MODEL_BYTES)
    throw new GraphError('too-large', `Graph "${graph.name}" has ${total(chunks)} bytes; an ONNX file ends at 2 GB`, {
      next: 'Leave the weights out and give them as inputs, or store them as float16',
    });
  return chunks;
}

function weightOf(parameter: Value, weights: ReadonlyMap<string, Tensor> | undefined): Tensor | undefined {
  const found = weights?.get(parameter.name);
  if (found && (found.dtype !== parameter.dtype || !sameShape(found.shape, parameter.shape)))
    throw new GraphError(
      'wrong-weights',
      `"${parameter.name}" is ${found.dtype} ${showShape(found.shape)}; the network wants ${parameter.dtype} ${showShape(parameter.shape)}`,
      { where: parameter.name, next: 'Take the weights of this architecture' },
    );
  return found;
}

function initializer(name: string, tensor: Tensor): readonly Uint8Array[] {
  const head = toBinary(TensorProtoSchema, tensorProto(name, tensor, false));
  const bytes = bytesOf(tensor);
  const rawPrefix = lengthPrefix(RAW_DATA_OF_TENSOR, bytes.length);
  const length = head.length + rawPrefix.length + bytes.length;
  return [lengthPrefix(INITIALIZER_OF_GRAPH, length), head, rawPrefix, bytes];
}

function nodeProto(node: Node, of: (value: Value) => string): NodeProto {
  const input = node.inputs.map((value) => (value ? of(value) : ''));
  while (input[input.length - 1] === '') input.pop();
  return create(NodeProtoSchema, {
    name: node.name,
    opType: node.operator,
    input,
    output: node.outputs.map(of),
    attribute: Object.entries(node.attributes).map(([name, value]) => attributeProto(name, value)),
  });
}

const constantProto = (name: string, { constant }: Value): NodeProto =>
  create(NodeProtoSchema, {
    name,
    opType: 'Constant',
    output: [name],
    attribute: constant ? [attributeProto('value', constant)] : [],
  });

const copyProto = (name: string, source: string): NodeProto =>
  create(NodeProtoSchema, { name: `${name} (copy)`, opType: 'Identity', input: [source], output: [name] });

const valueInfo = (name: string, { dtype, shape }: Value): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: codeOfDtype(dtype),
          shape: { dim: shape.map((n) => ({ value: { case: 'dimValue' as const, value: BigInt(n) } })) },
        },
      },
    },
  });
