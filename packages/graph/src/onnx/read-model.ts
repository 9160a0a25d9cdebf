/**
 * ONNX files to graphs. Strict about what it does not know: every operator, type and attribute passes through the same rules as
 * a graph that is built here, so what comes out can be differentiated, trained and written again.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { GraphError } from '../errors/graph-error.js';
import type { Attribute } from '../graph/attributes.js';
import { Graph, type Mode } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { isFloat } from '../tensor/dtype.js';
import { dtypeOfCode } from '../tensor/onnx-types.js';
import { int64s, type Tensor } from '../tensor/tensor.js';
import { readAttribute } from './attribute-proto.js';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from './onnx.generated.js';
import { sortNodes } from './sort-nodes.js';
import { readTensor } from './tensor-proto.js';
import { NEWEST_OPSET, OLDEST_OPSET } from './versions.js';

export interface ReadOptions {
  /** Sizes of axes that the file leaves open, by their names there (`batch`, `N` …); unnamed ones by `''`. */
  readonly dimensions?: Readonly<Record<string, number>>;
  readonly mode?: Mode;
}

export interface ReadModel {
  readonly graph: Graph;
  /** Real-valued initializers, by the names of the graph's parameters. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly opset: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Inputs that say how an operator works: initializers there are constants, never weights. */
const settings: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2], Clip: [1, 2], Pad: [2] };
/** Inputs that training does not learn. */
const statistics: Readonly<Record<string, readonly number[]>> = { BatchNormalization: [3, 4] };
/** Until opset 18 these took their axes as an attribute. */
const reductionsWithAxes: ReadonlySet<string> = new Set(['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceSumSquare']);

/**
 * Throws GraphError: `not-onnx`, `unsupported-operator` and the kinds of the shape rules (naming node and operator),
 * `missing-input`, `cycle`, `wrong-shape` (an open axis without a size).
 */
export function readModel(bytes: Uint8Array, { dimensions = {}, mode = 'infer' }: ReadOptions = {}): ReadModel {
  const model = parse(bytes);
  const proto = model.graph;
  const opset = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
  if (!proto || opset === undefined) throw new GraphError('not-onnx', 'The file holds no ONNX graph');
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET)
    throw new GraphError('not-onnx', `Opset ${opset} is not read; ${OLDEST_OPSET} to ${NEWEST_OPSET} are`, {
      next: 'Export the model again with opset 18',
    });
  const graph = new Graph({ name: proto.name || 'network', mode });
  const weights = new Map<string, Tensor>();
  const values = new Map<string, Value>();
  const stored = new Map(proto.initializer.map((tensor) => [tensor.name, tensor]));
  const fixed = namesAt(proto, settings);
  const still = namesAt(proto, statistics);

  for (const info of proto.input) if (!stored.has(info.name)) values.set(info.name, readInput(graph, info, dimensions));
  for (const [name, tensor] of stored) {
    const content = readTensor(tensor);
    const learned = isFloat(content.dtype) && content.shape.length > 0 && !fixed.has(name);
    if (learned) weights.set(name, content);
    const { dtype, shape } = content;
    values.set(
      name,
      learned ? graph.parameter(name, shape, { dtype, trainable: !still.has(name) }) : graph.constant(content, name),
    );
  }
  for (const node of sortNodes(proto.node, values.keys())) readNode(graph, node, values);
  for (const { name } of proto.output) graph.output(name, values.get(name) ?? absent(`The output "${name}"`, name));
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  return { graph, weights, opset: Number(opset), metadata };
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new GraphError('not-onnx', 'The bytes are no ONNX model', { cause });
  }
}

function absent(what: string, where: string): never {
  throw new GraphError('missing-input', `${what} is made by no node`, { where });
}

/** Names of values that stand at the listed inputs of the listed operators. */
function namesAt(proto: GraphProto, places: Readonly<Record<string, readonly number[]>>): ReadonlySet<string> {
  return new Set(proto.node.flatMap(({ opType, input }) => (places[opType] ?? []).map((i) => input[i] ?? '')));
}

function readInput(graph: Graph, { name, type }: ValueInfoProto, dimensions: Readonly<Record<string, number>>): Value {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  const dtype = tensor && dtypeOfCode(tensor.elemType);
  if (!tensor?.shape || !dtype)
    throw new GraphError('wrong-type', `Input "${name}" has a type that is not supported`, { where: name });
  const shape = tensor.shape.dim.map(({ value }) => {
    if (value.case === 'dimValue') return Number(value.value);
    const axis = value.case === 'dimParam' ? value.value : '';
    const size = dimensions[axis];
    if (size === undefined)
      throw new GraphError('wrong-shape', `Input "${name}" leaves the axis "${axis}" open`, {
        where: name,
        next: `Give it a size: dimensions: { "${axis}": 1 }`,
      });
    return size;
  });
  return graph.input(name, dtype, shape);
}

function readNode(graph: Graph, proto: NodeProto, values: Map<string, Value>): void {
  const { opType, domain, output } = proto;
  const where = proto.name || output[0] || opType;
  if (domain !== '' && domain !== 'ai.onnx')
    throw new GraphError('unsupported-operator', `${opType} "${where}": operators of ${domain} are not supported`, {
      where,
    });
  const attributes: Record<string, Attribute> = Object.fromEntries(
    proto.attribute.map((attribute) => [attribute.name, readAttribute(attribute, where)]),
  );
  const inputs = proto.input.map((name) =>
    name === '' ? undefined : (values.get(name) ?? absent(`Input "${name}" of ${opType} "${where}"`, where)),
  );
  if (opType === 'Constant') {
    values.set(output[0], graph.constant(constantOf(attributes, where), output[0]));
    return;
  }
  if (opType === 'Shape' && inputs[0] && Object.keys(attributes).length === 0) {
    values.set(output[0], graph.constant(int64s(inputs[0].shape), output[0]));
    return;
  }
  if (reductionsWithAxes.has(opType) && Array.isArray(attributes.axes)) {
    inputs[1] = graph.constant(int64s(attributes.axes));
    delete attributes.axes;
  }
  // Its other outputs would be a mask that is all ones.
  if (opType === 'Dropout' && inputs[0]) {
    values.set(output[0], inputs[0]);
    return;
  }
  const made = graph.apply(opType, inputs, attributes, { name: where, outputs: output.length });
  output.forEach((name, i) => {
    if (name !== '') values.set(name, made[i]);
  });
}

function constantOf(attributes: Readonly<Record<string, Attribute>>, where: string): Tensor {
  const { value } = attributes;
  if (typeof value === 'object' && 'dtype' in value) return value;
  throw new GraphError('wrong-attribute', `Constant "${where}" has no tensor`, { where });
}
