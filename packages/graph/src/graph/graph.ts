/**
 * A network, or a whole training step, while it is built: nodes in the order of their making, which is therefore an order
 * of execution (no cycle can be built), and values whose type and shape are known at once, by the rules of ../shapes.
 */
import { GraphError } from '../errors/graph-error.js';
import { shapeRules } from '../shapes/table.js';
import type { DType } from '../tensor/dtype.js';
import { type Shape, sameShape, showShape } from '../tensor/shape.js';
import { bytesOf, type Tensor } from '../tensor/tensor.js';
import type { Attributes } from './attributes.js';
import { Names } from './names.js';
import { Node } from './node.js';
import type { Initial, Parameter, Value } from './value.js';

/** Whether layers behave as in training (batch statistics, dropout) or as in use. */
export type Mode = 'train' | 'infer';

/**
 * Values that are differentiated together by a closed form instead of node by node, as the statistics of a batch norm. `rule`
 * gets the gradient of `output` and answers one gradient (or none) for each of `inputs`.
 */
export interface Block {
  readonly output: Value;
  readonly inputs: readonly Value[];
  readonly rule: (dy: Value) => readonly (Value | undefined)[];
}

export interface ParameterDetails {
  readonly dtype?: DType;
  readonly trainable?: boolean;
  readonly initial?: Initial;
}

/** Constants up to this many bytes are shared when equal: axes, shapes and scalars repeat hundreds of times. */
const SHARED_CONSTANT_BYTES = 256;

export class Graph {
  readonly name: string;
  readonly mode: Mode;
  readonly #names = new Names();
  readonly #inputs: Value[] = [];
  readonly #parameters = new Map<string, Parameter>();
  readonly #constants: Value[] = [];
  readonly #shared = new Map<string, Value>();
  readonly #nodes: Node[] = [];
  readonly #outputs = new Map<string, Value>();
  readonly #updates = new Map<Parameter, Value>();
  readonly #blocks = new Map<Value, Block>();
  #scope = '';

  constructor({ name = 'network', mode = 'infer' }: { readonly name?: string; readonly mode?: Mode } = {}) {
    this.name = name;
    this.mode = mode;
  }

  get inputs(): readonly Value[] {
    return this.#inputs;
  }
  get parameters(): readonly Parameter[] {
    return [...this.#parameters.values()];
  }
  get constants(): readonly Value[] {
    return this.#constants;
  }
  get nodes(): readonly Node[] {
    return this.#nodes;
  }
  /** By the names they are exported under. */
  get outputs(): ReadonlyMap<string, Value> {
    return this.#outputs;
  }
  /** What parameters that are not learned become after a step: running statistics. */
  get updates(): ReadonlyMap<Parameter, Value> {
    return this.#updates;
  }
  /** Closed forms, by the value they make. */
  get blocks(): ReadonlyMap<Value, Block> {
    return this.#blocks;
  }

  /** Names of what `body` makes start with `name/`. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#scope;
    this.#scope = outer === '' ? name : `${outer}/${name}`;
    try {
      return body();
    } finally {
      this.#scope = outer;
    }
  }

  /** What the caller brings to each run. The name is taken as it is. */
  input(name: string, dtype: DType, shape: Shape): Value {
    checkShape(name, shape);
    const value: Value = { kind: 'input', name: this.#names.claim(name), dtype, shape: [...shape], graph: this };
    this.#inputs.push(value);
    return value;
  }

  /** A weight under its PyTorch key; asking again for the same key and shape gives the same parameter (shared weights). */
  parameter(name: string, shape: Shape, details: ParameterDetails = {}): Parameter {
    const known = this.#parameters.get(name);
    if (known) {
      if (sameShape(known.shape, shape)) return known;
      throw new GraphError(
        'wrong-shape',
        `Parameter "${name}" is declared as ${showShape(known.shape)} and ${showShape(shape)}`,
        { where: name },
      );
    }
    checkShape(name, shape);
    const { dtype = 'float32', trainable = true, initial = { kind: 'constant', value: 0 } } = details;
    const value: Parameter = {
      kind: 'parameter',
      name: this.#names.claim(name),
      dtype,
      shape: [...shape],
      graph: this,
      trainable,
      initial,
    };
    this.#parameters.set(name, value);
    return value;
  }

  constant(tensor: Tensor, name = 'constant'): Value {
    const small = tensor.data.byteLength <= SHARED_CONSTANT_BYTES;
    const key = small ? `${tensor.dtype} ${tensor.shape} ${bytesOf(tensor)}` : '';
    const known = this.#shared.get(key);
    if (small && known) return known;
    const value: Value = {
      kind: 'constant',
      name: this.#names.unique(this.#scoped(name)),
      dtype: tensor.dtype,
      shape: tensor.shape,
      graph: this,
      constant: tensor,
    };
    this.#constants.push(value);
    if (small) this.#shared.set(key, value);
    return value;
  }

  /**
   * Applies an ONNX operator. Throws GraphError, naming node and operator: `unsupported-operator`, `missing-input`,
   * `wrong-rank`, `wrong-shape`, `wrong-type`, `wrong-attribute`.
   */
  apply(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    { name = operator.toLowerCase(), outputs = 1 }: { readonly name?: string; readonly outputs?: number } = {},
  ): readonly Value[] {
    const node = new Node(this.#names.unique(this.#scoped(name)), operator, inputs, attributes, outputs);
    for (const value of inputs)
      if (value && value.graph !== this)
        node.fail('missing-input', `"${value.name}" belongs to another graph ("${value.graph.name}")`);
    const rule = shapeRules[operator];
    if (!rule)
      node.fail('unsupported-operator', 'this operator is not supported', 'Compose it from operators that are');
    const types = rule(node);
    node.outputs = types.slice(0, outputs).map(({ dtype, shape }, i) => ({
      kind: 'computed',
      name: i === 0 ? node.name : this.#names.unique(`${node.name}/${i}`),
      dtype,
      shape,
      graph: this,
      node,
    }));
    this.#nodes.push(node);
    return node.outputs;
  }

  /** As `apply`, for the first output. */
  node(operator: string, inputs: readonly (Value | undefined)[], attributes?: Attributes, name?: string): Value {
    return this.apply(operator, inputs, attributes, name === undefined ? {} : { name })[0];
  }

  /** Names a result of the graph. */
  output(name: string, value: Value): Value {
    if (this.#outputs.has(name))
      throw new GraphError('duplicate-name', `There are two outputs "${name}"`, { where: name });
    this.#outputs.set(name, value);
    return value;
  }

  /** After a training step `parameter` is `value`. Throws GraphError `duplicate-name` for a second one. */
  update(parameter: Parameter, value: Value): void {
    if (this.#updates.has(parameter))
      throw new GraphError('duplicate-name', `"${parameter.name}" is updated twice in one step`, {
        where: parameter.name,
        next: 'Give a layer that is applied twice statistics of its own for each time',
      });
    this.#updates.set(parameter, value);
  }

  /** Differentiates `output` by a closed form. Answers the output. */
  block(block: Block): Value {
    this.#blocks.set(block.output, block);
    return block.output;
  }

  /** A name for something that another graph or model will hold. */
  uniqueName(wish: string): string {
    return this.#names.unique(wish);
  }

  #scoped(name: string): string {
    return this.#scope === '' ? name : `${this.#scope}/${name}`;
  }
}

function checkShape(name: string, shape: Shape): void {
  if (shape.some((n) => !Number.isSafeInteger(n) || n < 1))
    throw new GraphError('wrong-shape', `"${name}" has the shape ${showShape(shape)}: sizes are whole and positive`, {
      where: name,
    });
}
