/** What is wrong with a graph is said with the node, its operator and what to do; nothing is built by halves. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { gradients } from '../derivatives/gradients.js';
import type { GraphError } from '../errors/graph-error.js';
import { relu } from '../layers/activations.js';
import { add, cast, exp, mul } from '../layers/arithmetic.js';
import { conv } from '../layers/convolution.js';
import { reshape } from '../layers/layout.js';
import { matMul } from '../layers/matrix.js';
import { reduceSum } from '../layers/reductions.js';
import { type ModelProto, ModelProtoSchema, NodeProtoSchema } from '../onnx/onnx.generated.js';
import { readModel } from '../onnx/read-model.js';
import { writeModel } from '../onnx/write-model.js';
import { Graph } from './graph.js';

function failure(body: () => unknown): GraphError {
  try {
    body();
  } catch (error) {
    return error as GraphError;
  }
  throw new Error('nothing was thrown');
}

function expectFailure(body: () => unknown, kind: string, message: RegExp): void {
  const error = failure(body);
  expect(error.message).toMatch(message);
  expect(error.kind).toBe(kind);
}

const started = () => {
  const graph = new Graph();
  return { graph, x: graph.input('x', 'float32', [1, 2, 4, 4]) };
};

describe('while building', () => {
  it('unsupported operators', () => {
    const { graph, x } = started();
    expectFailure(() => graph.scope('net', () => graph.node('Loop', [x])), 'unsupported-operator', /Loop "net\/loop"/);
  });
  it('missing inputs', () => {
    const { graph, x } = started();
    expectFailure(() => graph.node('Add', [x]), 'missing-input', /Add "add": input 1 is missing/);
  });
  it('values of another graph', () => {
    const { x } = started();
    expectFailure(() => add(x, started().x), 'missing-input', /belongs to another graph/);
  });
  it('wrong ranks', () => {
    const { graph, x } = started();
    const w = graph.parameter('w', [3, 2, 3]);
    expectFailure(() => conv(x, w), 'wrong-rank', /Conv "conv": input 1 \("w", 3×2×3\) has 3 axes, not 4/);
  });
  it('shapes that do not fit', () => {
    const { graph, x } = started();
    expectFailure(
      () => conv(x, graph.parameter('w', [3, 5, 3, 3])),
      'wrong-shape',
      /Conv "conv".* do not fit 2 channels of "x"/,
    );
    expectFailure(() => conv(x, graph.parameter('v', [3, 2, 9, 9])), 'wrong-shape', /larger than the padded input/);
    expectFailure(() => matMul(x, x.graph.input('y', 'float32', [3, 4])), 'wrong-shape', /MatMul "matmul"/);
    expectFailure(() => reshape(x, [5, -1]), 'wrong-shape', /Reshape/);
    expectFailure(() => add(x, graph.input('z', 'float32', [3])), 'wrong-shape', /do not broadcast/);
  });
  it('types that do not match', () => {
    const { x } = started();
    expectFailure(() => add(x, cast(x, 'float64')), 'wrong-type', /Add "add": "cast" is float64, "x" is float32/);
    expectFailure(() => exp(cast(x, 'int64')), 'wrong-type', /Exp "exp": works on real numbers/);
  });
  it('names twice', () => {
    const { graph, x } = started();
    expectFailure(() => graph.input('x', 'float32', [1]), 'duplicate-name', /"x" is taken/);
    graph.output('y', x);
    expectFailure(() => graph.output('y', x), 'duplicate-name', /two outputs "y"/);
  });
  it('a parameter of two shapes', () => {
    const { graph } = started();
    graph.parameter('w', [2]);
    expectFailure(() => graph.parameter('w', [3]), 'wrong-shape', /"w" is declared as 2 and 3/);
  });
});

describe('while differentiating', () => {
  it('operators without a derivative are named', () => {
    const { graph, x } = started();
    const loss = reduceSum(graph.scope('net', () => graph.node('GlobalMaxPool', [relu(x)])));
    expectFailure(() => gradients(graph, loss, [x]), 'no-gradient', /GlobalMaxPool "net\/globalmaxpool"/);
  });
  it('a loss that is no number is refused', () => {
    const { graph, x } = started();
    expectFailure(() => gradients(graph, mul(x, 2), [x]), 'wrong-shape', /The loss "mul" is float32 1×2×4×4/);
  });
  it('what the loss does not depend on has no gradient', () => {
    const { graph, x } = started();
    const other = graph.input('other', 'float32', [2]);
    expect(gradients(graph, reduceSum(x), [other])).toEqual([undefined]);
  });
});

describe('while reading', () => {
  const model = (change: (proto: ModelProto) => void): Uint8Array => {
    const { graph, x } = started();
    graph.output('y', exp(relu(x)));
    const proto = fromBinary(ModelProtoSchema, writeModel(graph));
    change(proto);
    return toBinary(ModelProtoSchema, proto);
  };
  const nodes = (proto: ModelProto) => proto.graph?.node ?? [];

  it('cycles are named', () => {
    const bytes = model((proto) => {
      nodes(proto)[0].input[0] = 'y';
    });
    expectFailure(
      () => readModel(bytes),
      'cycle',
      /Relu "relu" needs Exp "exp" needs Relu "relu"|Exp "exp" needs Relu "relu" needs Exp/,
    );
  });
  it('inputs that nobody makes are named', () => {
    const bytes = model((proto) => {
      nodes(proto)[1].input[0] = 'ghost';
    });
    expectFailure(() => readModel(bytes), 'missing-input', /Exp "exp": its input "ghost"/);
  });
  it('unknown operators are named', () => {
    const bytes = model((proto) => {
      nodes(proto)[1].opType = 'NonMaxSuppression';
    });
    expectFailure(() => readModel(bytes), 'unsupported-operator', /NonMaxSuppression "exp"/);
  });
  it('a value made twice is named', () => {
    const bytes = model((proto) => {
      proto.graph?.node.push(
        create(NodeProtoSchema, { name: 'again', opType: 'Relu', input: ['x'], output: ['relu'] }),
      );
    });
    expectFailure(() => readModel(bytes), 'duplicate-name', /Relu "again": "relu" is made twice/);
  });
  it('open axes want a size', () => {
    const bytes = model((proto) => {
      const type = proto.graph?.input[0].type?.value;
      if (type?.case === 'tensorType' && type.value.shape)
        type.value.shape.dim[0].value = { case: 'dimParam', value: 'batch' };
    });
    expectFailure(() => readModel(bytes), 'wrong-shape', /"x" leaves the axis "batch" open/);
    expect(readModel(bytes, { dimensions: { batch: 3 } }).graph.outputs.get('y')?.shape).toEqual([3, 2, 4, 4]);
  });
  it('nodes out of order are sorted', () => {
    const bytes = model((proto) => {
      nodes(proto).reverse();
    });
    expect(readModel(bytes).graph.nodes.map(({ operator }) => operator)).toEqual(['Relu', 'Exp']);
  });
  it('other files are refused', () => {
    expectFailure(() => readModel(Uint8Array.of(1, 2, 3)), 'not-onnx', /no ONNX model/);
    expectFailure(() => readModel(new Uint8Array()), 'not-onnx', /no ONNX graph/);
  });
});
