/**
 * One operator application. Its questions about inputs and attributes either answer or throw a GraphError that names the
 * node and its operator, so that the rules (shapes, derivatives) stay formulas.
 */
import { GraphError, type GraphErrorKind } from '../errors/graph-error.js';
import { type DType, isFloat } from '../tensor/dtype.js';
import { showShape } from '../tensor/shape.js';
import { numbersOf } from '../tensor/tensor.js';
import type { Attributes } from './attributes.js';
import type { Value } from './value.js';

export class Node {
  constructor(
    readonly name: string,
    readonly operator: string,
    /** An optional input that is left out is undefined. */
    readonly inputs: readonly (Value | undefined)[],
    readonly attributes: Attributes,
    /** How many outputs are asked for; operators with optional outputs look at it. */
    readonly outputCount: number,
  ) {}

  /** Set once, by the graph, when the shapes are known. */
  outputs: readonly Value[] = [];

  get output(): Value {
    return this.outputs[0];
  }

  fail(kind: GraphErrorKind, message: string, next?: string): never {
    throw new GraphError(kind, `${this.operator} "${this.name}": ${message}`, { where: this.name, next });
  }

  input(index: number): Value {
    return this.inputs[index] ?? this.fail('missing-input', `input ${index} is missing`);
  }

  /** The input, if its rank is one of `ranks`. */
  ranked(index: number, ...ranks: readonly number[]): Value {
    const value = this.input(index);
    if (!ranks.includes(value.shape.length))
      this.fail(
        'wrong-rank',
        `input ${index} ("${value.name}", ${showShape(value.shape)}) has ${value.shape.length} axes, not ${ranks.join(' or ')}`,
      );
    return value;
  }

  /** The common type of the given inputs (absent ones aside); all inputs if none are named. */
  commonType(...indexes: readonly number[]): DType {
    const present = (indexes.length === 0 ? this.inputs : indexes.map((i) => this.inputs[i])).filter(
      (value) => value !== undefined,
    );
    const [first] = present;
    if (first === undefined) this.fail('missing-input', 'has no input');
    for (const value of present)
      if (value.dtype !== first.dtype)
        this.fail(
          'wrong-type',
          `"${value.name}" is ${value.dtype}, "${first.name}" is ${first.dtype}`,
          'Convert one of them with cast',
        );
    return first.dtype;
  }

  floatType(...indexes: readonly number[]): DType {
    const dtype = this.commonType(...indexes);
    return isFloat(dtype) ? dtype : this.fail('wrong-type', `works on real numbers, not on ${dtype}`);
  }

  /** Contents of an input that must be known while the graph is built (a shape, axes, pads). */
  constant(index: number): number[] {
    const value = this.input(index);
    if (!value.constant)
      this.fail('wrong-attribute', `input ${index} ("${value.name}") must be a constant: shapes here are static`);
    return numbersOf(value.constant);
  }

  number(name: string, fallback?: number): number {
    const value = this.attributes[name] ?? fallback;
    if (typeof value !== 'number') this.fail('wrong-attribute', `attribute ${name} is missing or no number`);
    return value;
  }

  ints(name: string, fallback?: readonly number[]): readonly number[] {
    const value = this.attributes[name] ?? fallback;
    if (!Array.isArray(value)) this.fail('wrong-attribute', `attribute ${name} is missing or no list`);
    return value as readonly number[];
  }

  text(name: string, fallback: string): string {
    const value = this.attributes[name] ?? fallback;
    if (typeof value !== 'string') this.fail('wrong-attribute', `attribute ${name} is no text`);
    return value;
  }

  /** An axis counted from the front; ONNX allows negative ones. */
  axis(axis: number, rank: number): number {
    const positive = axis < 0 ? axis + rank : axis;
    if (positive < 0 || positive >= rank) this.fail('wrong-rank', `axis ${axis} of a tensor with ${rank} axes`);
    return positive;
  }
}
