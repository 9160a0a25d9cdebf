/**
 * What an ONNX file says about itself, read from its protobuf without loading the weights and without running anything:
 * inputs, outputs, operators, labels of classical models, and files it wants beside it. Schema: onnx/onnx.proto.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { broken, type WireField, WireReader } from './wire-reader.js';

export interface OnnxPort {
  readonly name: string;
  readonly kind: 'tensor' | 'other';
  /** Of a tensor: 'float32', 'int64', … */
  readonly elementType: string;
  /** A number, or the name of a size that may vary ('?' when it has none). Undefined: not said at all. */
  readonly dims: readonly (number | string)[] | undefined;
}

export interface OnnxSummary {
  readonly producer: string;
  readonly operatorSets: Readonly<Record<string, number>>;
  /** `Conv`, `ai.onnx.ml.TreeEnsembleClassifier`, …, each once. */
  readonly operators: readonly string[];
  /** Without those that are weights. */
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Places of weights outside the file, as they are written there. */
  readonly externalFiles: readonly string[];
  /** Of a classifier of scikit-learn or XGBoost, in the order of its scores. */
  readonly classLabels: readonly string[];
  /** For whoever takes ZipMap off (zip-map.ts). */
  readonly graph: { readonly at: number; readonly end: number; readonly tagAt: number };
  readonly zipMaps: readonly {
    readonly from: number;
    readonly to: number;
    readonly input: string;
    readonly output: string;
  }[];
  readonly outputParts: readonly { readonly from: number; readonly to: number; readonly name: string }[];
}

export const CLASSICAL_DOMAIN = 'ai.onnx.ml';
const NAME = 4096;
/** If, Loop and Scan hold graphs; people nest them three or four deep. */
const MAXIMUM_DEPTH = 16;
const MAXIMUM_LABELS = 10_000;
const LABEL_LISTS = new Set(['classlabels_strings', 'classlabels_int64s', 'classlabels_ints']);

/** TensorProto.DataType. */
const ELEMENT_TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
};

/** Throws RegistryError `not-a-model` on files that are truncated, no protobuf, or hold no graph. */
export async function readOnnx(path: string): Promise<OnnxSummary> {
  const file = await open(path, 'r');
  try {
    return await summarise(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

async function summarise(file: FileHandle, size: number): Promise<OnnxSummary> {
  const walk = new Walk(new WireReader(file, size));
  const sets: Record<string, number> = {};
  let producer = '';
  let graph: OnnxSummary['graph'] | undefined;
  for await (const field of walk.reader.fields(0, size)) {
    if (field.number === 2) producer = await walk.reader.text(field, NAME);
    else if (field.number === 8) Object.assign(sets, await walk.operatorSet(field));
    else if (field.number === 25) await walk.nodesOf(field, 7, 0);
    else if (field.number === 7) {
      if (graph || field.wire !== 2) throw broken(field.tagAt, 'it must have one graph');
      graph = { at: field.at, end: field.at + field.length, tagAt: field.tagAt };
      await walk.graph(field, 0);
    }
  }
  if (!graph || Object.keys(sets).length === 0) throw broken(0, 'it has no graph');
  return {
    producer,
    operatorSets: sets,
    operators: [...walk.operators].sort(),
    inputs: walk.inputs.filter(({ name }) => !walk.weights.has(name)),
    outputs: walk.outputs,
    externalFiles: [...walk.externalFiles],
    classLabels: walk.labels,
    graph,
    zipMaps: walk.zipMaps,
    outputParts: walk.outputParts,
  };
}

class Walk {
  readonly operators = new Set<string>();
  readonly inputs: OnnxPort[] = [];
  readonly outputs: OnnxPort[] = [];
  readonly weights = new Set<string>();
  readonly externalFiles = new Set<string>();
  readonly zipMaps: { from: number; to: number; input: string; output: string }[] = [];
  readonly outputParts: { from: number; to: number; name: string }[] = [];
  labels: string[] = [];

  constructor(readonly reader: WireReader) {}

  /** Fields of a message; a field that should be one and is not is damage. */
  inside(field: WireField): AsyncGenerator<WireField> {
    if (field.wire !== 2) throw broken(field.tagAt, 'a part has the wrong type');
    return this.reader.fields(field.at, field.at + field.length);
  }

  async operatorSet(field: WireField): Promise<Record<string, number>> {
    let [domain, version] = ['', 0];
    for await (const part of this.inside(field)) {
      if (part.number === 1) domain = await this.reader.text(part, NAME);
      else if (part.number === 2) version = part.value;
    }
    return { [domain]: version };
  }

  async graph(field: WireField, depth: number): Promise<void> {
    if (depth > MAXIMUM_DEPTH) throw broken(field.tagAt, 'graphs are nested too deeply');
    for await (const part of this.inside(field)) {
      if (part.number === 1) await this.node(part, depth);
      else if (part.number === 5) {
        const name = await this.tensor(part);
        if (depth === 0) this.weights.add(name);
      } else if (part.number === 15) await this.sparse(part);
      else if (depth === 0 && part.number === 11) this.inputs.push(await this.port(part));
      else if (depth === 0 && part.number === 12) {
        const port = await this.port(part);
        this.outputs.push(port);
        this.outputParts.push({ from: part.tagAt, to: part.at + part.length, name: port.name });
      }
    }
  }

  async nodesOf(field: WireField, number: number, depth: number): Promise<void> {
    for await (const part of this.inside(field)) if (part.number === number) await this.node(part, depth);
  }

  async node(field: WireField, depth: number): Promise<void> {
    let [operator, domain, input, output] = ['', '', '', ''];
    for await (const part of this.inside(field)) {
      if (part.number === 1 && input === '') input = await this.reader.text(part, NAME);
      else if (part.number === 2 && output === '') output = await this.reader.text(part, NAME);
      else if (part.number === 4) operator = await this.reader.text(part, NAME);
      else if (part.number === 7) domain = await this.reader.text(part, NAME);
      else if (part.number === 5) await this.attribute(part, depth);
    }
    const name = domain === '' || domain === 'ai.onnx' ? operator : `${domain}.${operator}`;
    this.operators.add(name);
    if (name === `${CLASSICAL_DOMAIN}.ZipMap` && depth === 0)
      this.zipMaps.push({ from: field.tagAt, to: field.at + field.length, input, output });
  }

  async attribute(field: WireField, depth: number): Promise<void> {
    let name = '';
    const labels: string[] = [];
    for await (const part of this.inside(field)) {
      if (part.number === 1) name = await this.reader.text(part, NAME);
      else if (part.number === 5 || part.number === 10) await this.tensor(part);
      else if (part.number === 6 || part.number === 11) await this.graph(part, depth + 1);
      else if (part.number === 22 || part.number === 23) await this.sparse(part);
      else if (LABEL_LISTS.has(name) && labels.length < MAXIMUM_LABELS) {
        if (part.number === 9) labels.push(await this.reader.text(part, NAME));
        else if (part.number === 8) labels.push(...(await this.integers(part)));
      }
    }
    if (labels.length > 0) this.labels = labels;
  }

  /** One varint, or several packed ones. */
  async integers(field: WireField): Promise<string[]> {
    if (field.wire === 0) return [String(field.value)];
    const bytes = Buffer.from(await this.reader.text(field, NAME), 'utf8');
    // Labels below 128 only: what is larger is not ASCII and not worth a guess.
    return bytes.every((byte) => byte < 0x80) ? [...bytes].map(String) : [];
  }

  /** Its name; where its bytes lie when they are not here. */
  async tensor(field: WireField): Promise<string> {
    let name = '';
    let external = false;
    let location = '';
    for await (const part of this.inside(field)) {
      if (part.number === 8) name = await this.reader.text(part, NAME);
      else if (part.number === 14) external = part.value === 1;
      else if (part.number === 13) {
        let [key, value] = ['', ''];
        for await (const piece of this.inside(part)) {
          if (piece.number === 1) key = await this.reader.text(piece, NAME);
          else if (piece.number === 2) value = await this.reader.text(piece, NAME);
        }
        if (key === 'location') location = value;
      }
    }
    // A location without the mark is refused as well: readers differ in which of the two they believe.
    if (external || location !== '') this.externalFiles.add(location);
    return name;
  }

  async sparse(field: WireField): Promise<void> {
    for await (const part of this.inside(field)) if (part.number === 1 || part.number === 2) await this.tensor(part);
  }

  async port(field: WireField): Promise<OnnxPort> {
    let port: OnnxPort = { name: '', kind: 'other', elementType: '', dims: undefined };
    for await (const part of this.inside(field)) {
      if (part.number === 1) port = { ...port, name: await this.reader.text(part, NAME) };
      else if (part.number === 2)
        for await (const type of this.inside(part))
          if (type.number === 1) port = { ...port, kind: 'tensor', ...(await this.tensorType(type)) };
    }
    return port;
  }

  async tensorType(field: WireField): Promise<Pick<OnnxPort, 'elementType' | 'dims'>> {
    let elementType = 'unknown';
    let dims: (number | string)[] | undefined;
    for await (const part of this.inside(field)) {
      if (part.number === 1) elementType = ELEMENT_TYPES[part.value] ?? 'unknown';
      else if (part.number === 2) {
        dims = [];
        for await (const dim of this.inside(part)) {
          let size: number | string = '?';
          for await (const piece of this.inside(dim)) {
            // Exporters write "unknown" as 0 or as a negative number, which is a varint above 2^53.
            if (piece.number === 1 && piece.value > 0 && piece.value < 2 ** 31) size = piece.value;
            else if (piece.number === 2) size = await this.reader.text(piece, NAME);
          }
          dims.push(size);
        }
      }
    }
    return { elementType, dims };
  }
}
