/** Small ONNX models for tests, written field by field, so that no test needs Python. Numbers of fields: onnx/onnx.proto. */
import { bytesField, numberField, varint } from './wire-writer.js';

type Dim = number | string;

export function tensorPort(name: string, dims: readonly Dim[], elementType = 1): Buffer {
  const shape = dims.map((dim) => bytesField(1, typeof dim === 'number' ? numberField(1, dim) : bytesField(2, dim)));
  return Buffer.concat([
    bytesField(1, name),
    bytesField(2, bytesField(1, numberField(1, elementType), bytesField(2, ...shape))),
  ]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** AttributeProto by the type of its value: number → INT, numbers → INTS, texts → STRINGS, Float32Array → FLOATS, text → STRING. */
export function attribute(
  name: string,
  value: number | readonly number[] | readonly string[] | Float32Array | string,
): Buffer {
  const head = bytesField(1, name);
  if (typeof value === 'number') return Buffer.concat([head, numberField(3, value), numberField(20, 2)]);
  if (typeof value === 'string') return Buffer.concat([head, bytesField(4, value), numberField(20, 3)]);
  if (value instanceof Float32Array) {
    const items = [...value].map((one) => Buffer.concat([varint(7 * 8 + 5), float(one)]));
    return Buffer.concat([head, ...items, numberField(20, 6)]);
  }
  if (typeof value[0] === 'string')
    return Buffer.concat([head, ...(value as string[]).map((one) => bytesField(9, one)), numberField(20, 8)]);
  return Buffer.concat([head, ...(value as number[]).map((one) => numberField(8, one)), numberField(20, 7)]);
}

export interface NodeParts {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly domain?: string;
  readonly attributes?: readonly Buffer[];
}

export function node({ operator, inputs, outputs, domain, attributes = [] }: NodeParts): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => bytesField(1, name)),
    ...outputs.map((name) => bytesField(2, name)),
    bytesField(4, operator),
    ...attributes.map((one) => bytesField(5, one)),
    ...(domain ? [bytesField(7, domain)] : []),
  ]);
}

/** TensorProto of float32. `location`: where else the bytes are said to lie. */
export function weights(name: string, dims: readonly number[], values: Float32Array, location?: string): Buffer {
  const shape = dims.map((dim) => numberField(1, dim));
  const place =
    location === undefined
      ? []
      : [bytesField(13, bytesField(1, 'location'), bytesField(2, location)), numberField(14, 1)];
  const raw =
    location === undefined ? [bytesField(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength))] : [];
  return Buffer.concat([...shape, numberField(2, 1), bytesField(8, name), ...raw, ...place]);
}

export interface ModelParts {
  readonly nodes: readonly Buffer[];
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  readonly weights?: readonly Buffer[];
  readonly domains?: Readonly<Record<string, number>>;
}

export function onnxModel({ nodes, inputs, outputs, weights: tensors = [], domains = {} }: ModelParts): Buffer {
  const graph = [
    ...nodes.map((one) => bytesField(1, one)),
    bytesField(2, 'test'),
    ...tensors.map((one) => bytesField(5, one)),
    ...inputs.map((one) => bytesField(11, one)),
    ...outputs.map((one) => bytesField(12, one)),
  ];
  const sets = Object.entries({ '': 17, ...domains }).map(([domain, version]) =>
    bytesField(8, ...(domain === '' ? [] : [bytesField(1, domain)]), numberField(2, version)),
  );
  return Buffer.concat([numberField(1, 8), bytesField(2, 'a test'), bytesField(7, ...graph), ...sets]);
}

/** Two channels, −x and x: the second is larger where the image is above zero. */
export function signNetwork(spatial: readonly Dim[], outputs: readonly Dim[] = spatial): Buffer {
  return onnxModel({
    nodes: [
      node({ operator: 'Neg', inputs: ['x'], outputs: ['n'] }),
      node({ operator: 'Concat', inputs: ['n', 'x'], outputs: ['y'], attributes: [attribute('axis', 1)] }),
    ],
    inputs: [tensorPort('x', ['batch', 1, ...spatial])],
    outputs: [tensorPort('y', ['batch', 2, ...outputs])],
  });
}

/** One number per image: its mean, then −mean and mean as two classes when `classes` is 2. */
export function meanNetwork(spatial: readonly Dim[], classes: 1 | 2): Buffer {
  const flat = [
    node({ operator: 'GlobalAveragePool', inputs: ['x'], outputs: ['p'] }),
    node({ operator: 'Flatten', inputs: ['p'], outputs: ['m'] }),
  ];
  const both = [
    node({ operator: 'Neg', inputs: ['m'], outputs: ['n'] }),
    node({ operator: 'Concat', inputs: ['n', 'm'], outputs: ['y'], attributes: [attribute('axis', 1)] }),
  ];
  return onnxModel({
    nodes: classes === 2 ? [...flat, ...both] : flat,
    inputs: [tensorPort('x', [1, 1, ...spatial])],
    outputs: [tensorPort(classes === 2 ? 'y' : 'm', [1, classes])],
  });
}

/** What scikit-learn's exporter makes of a linear classifier: a label, and scores, maybe as a list of dictionaries. */
export function linearClassifier(zipMap: boolean): Buffer {
  const domain = 'ai.onnx.ml';
  const labels = ['benign', 'malignant'];
  const classifier = node({
    operator: 'LinearClassifier',
    domain,
    inputs: ['x'],
    outputs: ['label', 'scores'],
    attributes: [
      attribute('coefficients', Float32Array.of(-1, 0, 2, 1, 0, -2)),
      attribute('intercepts', Float32Array.of(0.5, -0.5)),
      attribute('classlabels_strings', labels),
      attribute('post_transform', 'LOGISTIC'),
    ],
  });
  const map = node({
    operator: 'ZipMap',
    domain,
    inputs: ['scores'],
    outputs: ['probability'],
    attributes: [attribute('classlabels_strings', labels)],
  });
  // ValueInfoProto of sequence(map(string, float)).
  const type = bytesField(
    4,
    bytesField(1, bytesField(5, numberField(1, 8), bytesField(2, bytesField(1, numberField(1, 1))))),
  );
  const dictionaries = Buffer.concat([bytesField(1, 'probability'), bytesField(2, type)]);
  return onnxModel({
    nodes: zipMap ? [classifier, map] : [classifier],
    inputs: [tensorPort('x', ['rows', 3])],
    outputs: [tensorPort('label', ['rows'], 8), zipMap ? dictionaries : tensorPort('scores', ['rows', 2])],
    domains: { [domain]: 1 },
  });
}
