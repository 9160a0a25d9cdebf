/**
 * Evaluates the syntax tree of an expression. Only what is listed here happens; every other form is refused with its
 * position. There is no way from here to JavaScript's own objects: values are plain data (config/values.ts), attributes
 * of values are never read, and names are looked up in tables without prototype.
 */
import {
  type ConfigDict,
  type ConfigValue,
  isDict,
  isTrue,
  LambdaText,
  LibraryName,
  TargetObject,
} from '../config/values.js';
import { expressionError } from './expression-error.js';
import {
  CONSTRUCTOR,
  type Complain,
  constants,
  itemsOf,
  LIBRARY_NAME,
  MAXIMUM_LENGTH,
  pureFunctions,
} from './functions.js';
import { parseExpression } from './parse.js';
import type { Expression } from './syntax.js';

/** Value of the item with this id, as the configuration resolves it. */
export type Resolve = (id: string) => ConfigValue;

/** Far above what any real expression needs, low enough to end at once. */
const MAXIMUM_STEPS = 10_000;
/** Methods of a network that only say where or how it runs; the result is the same object. */
const IDENTITY_METHODS = new Set(['to', 'eval', 'cuda', 'cpu', 'float']);

/** `source` is the text after `$`. Throws ExpressionError. */
export function evaluateExpression(source: string, resolve: Resolve): ConfigValue {
  return new Evaluator(source, resolve).value(parseExpression(source));
}

class Evaluator {
  private steps = 0;

  constructor(
    private readonly source: string,
    private readonly resolve: Resolve,
  ) {}

  value(node: Expression): ConfigValue {
    if (++this.steps > MAXIMUM_STEPS)
      throw expressionError('limit', 'The expression takes too many steps', this.source, node.at);
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'lambda':
        return new LambdaText(node.text);
      case 'reference':
        return this.resolve(node.id);
      case 'list':
        return node.items.map((item) => this.value(item));
      case 'set':
        return [...new Set(node.items.map((item) => this.value(item)))];
      case 'dict':
        return this.dict(node.entries);
      case 'name':
      case 'attribute':
        return this.name(node);
      case 'unary':
        return this.unary(node.operator, this.value(node.operand), node.at);
      case 'binary':
        return this.binary(node.operator, this.value(node.left), this.value(node.right), node.at);
      case 'compare':
        return this.compare(node);
      case 'logic': {
        const left = this.value(node.left);
        return isTrue(left) === (node.operator === 'and') ? this.value(node.right) : left;
      }
      case 'choice':
        return this.value(isTrue(this.value(node.condition)) ? node.yes : node.no);
      case 'index':
        return this.index(this.value(node.of), this.value(node.index), node.at);
      case 'slice':
        return this.slice(node);
      case 'call':
        return this.call(node);
    }
  }

  private complainAt(at: number): Complain {
    return (kind, message) => {
      throw expressionError(kind, message, this.source, at);
    };
  }

  private refuse(message: string, at: number): never {
    throw expressionError('refused', message, this.source, at);
  }

  /** `a.b.c` as text, when it is made of names only. */
  private dotted(node: Expression): string | undefined {
    if (node.kind === 'name') return node.text;
    if (node.kind !== 'attribute') return undefined;
    const of = this.dotted(node.of);
    return of === undefined ? undefined : `${of}.${node.name}`;
  }

  private name(node: Expression): ConfigValue {
    const text = this.dotted(node);
    if (text === undefined) return this.refuse('Attributes of values are not read', node.at);
    if (text in constants) return constants[text];
    if (LIBRARY_NAME.test(text)) return new LibraryName(text);
    return this.refuse(`The name "${text}" is not known here`, node.at);
  }

  private call(node: Expression & { kind: 'call' }): ConfigValue {
    const { callee, at } = node;
    if (callee.kind === 'attribute' && this.dotted(callee) === undefined) {
      const of = IDENTITY_METHODS.has(callee.name) ? this.value(callee.of) : undefined;
      if (of instanceof TargetObject) {
        for (const argument of node.positional) this.value(argument);
        return of;
      }
      return this.refuse(`The method "${callee.name}" is not called`, callee.at);
    }
    const text = this.dotted(callee);
    if (text === undefined) return this.refuse('Only named functions are called', at);
    if (text in pureFunctions) {
      if (node.named.length > 0) this.refuse(`"${text}" takes no named arguments here`, at);
      return pureFunctions[text](
        node.positional.map((argument) => this.value(argument)),
        this.complainAt(at),
      );
    }
    if (!CONSTRUCTOR.test(text)) return this.refuse(`"${text}" is not called`, callee.at);
    const named: Record<string, ConfigValue> = Object.create(null);
    for (const [name, argument] of node.named) named[name] = this.value(argument);
    return new TargetObject(
      text,
      named,
      node.positional.map((argument) => this.value(argument)),
    );
  }

  private dict(entries: readonly (readonly [Expression, Expression])[]): ConfigDict {
    const dict: Record<string, ConfigValue> = Object.create(null);
    for (const [key, value] of entries) {
      const name = this.value(key);
      if (typeof name !== 'string' && typeof name !== 'number') this.refuse('Keys are text or numbers', key.at);
      dict[String(name)] = this.value(value);
    }
    return dict;
  }

  private unary(operator: '-' | '+' | 'not', value: ConfigValue, at: number): ConfigValue {
    if (operator === 'not') return !isTrue(value);
    if (typeof value !== 'number') return this.complainAt(at)('value', 'Only a number has a sign');
    return operator === '-' ? -value : value;
  }

  private binary(operator: string, left: ConfigValue, right: ConfigValue, at: number): ConfigValue {
    const complain = this.complainAt(at);
    if (typeof left === 'number' && typeof right === 'number') return arithmetic(operator, left, right, complain);
    const fits = (length: number) => {
      if (length > MAXIMUM_LENGTH) complain('limit', `A list or text may have ${MAXIMUM_LENGTH} items`);
    };
    if (operator === '+' && typeof left === 'string' && typeof right === 'string') {
      fits(left.length + right.length);
      return left + right;
    }
    if (operator === '+' && Array.isArray(left) && Array.isArray(right)) {
      fits(left.length + right.length);
      return [...left, ...right];
    }
    const [many, times] = typeof left === 'number' ? [right, left] : [left, right];
    if (operator === '*' && typeof times === 'number' && (typeof many === 'string' || Array.isArray(many))) {
      const count = Math.max(0, Math.trunc(times));
      fits(many.length * count);
      return typeof many === 'string'
        ? many.repeat(count)
        : Array.from({ length: count }, () => many as readonly ConfigValue[]).flat(1);
    }
    return complain('value', `"${operator}" does not fit these values`);
  }

  private compare(node: Expression & { kind: 'compare' }): boolean {
    let left = this.value(node.first);
    for (const [operator, expression] of node.rest) {
      const right = this.value(expression);
      if (!this.holds(operator, left, right, expression.at)) return false;
      left = right;
    }
    return true;
  }

  private holds(operator: string, left: ConfigValue, right: ConfigValue, at: number): boolean {
    if (operator === '==' || operator === 'is') return equal(left, right);
    if (operator === '!=' || operator === 'is not') return !equal(left, right);
    const complain = this.complainAt(at);
    if (operator === 'in' || operator === 'not in') {
      const inside =
        typeof right === 'string' && typeof left === 'string'
          ? right.includes(left)
          : itemsOf(right, complain).some((item) => equal(item, left));
      return inside === (operator === 'in');
    }
    const comparable =
      (typeof left === 'number' && typeof right === 'number') ||
      (typeof left === 'string' && typeof right === 'string');
    if (!comparable) complain('value', `"${operator}" does not fit these values`);
    const [a, b] = [left as number, right as number];
    return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b;
  }

  private index(of: ConfigValue, index: ConfigValue, at: number): ConfigValue {
    const complain = this.complainAt(at);
    if (isDict(of)) {
      const key = String(index);
      return Object.hasOwn(of, key) ? of[key] : complain('value', 'The dictionary has no such key');
    }
    const items = itemsOf(of, complain);
    if (typeof index !== 'number' || !Number.isInteger(index))
      return complain('value', 'A list is indexed by whole numbers');
    const item = items.at(index);
    return item === undefined ? complain('value', `Index ${index} is outside the list of ${items.length}`) : item;
  }

  private slice(node: Expression & { kind: 'slice' }): ConfigValue {
    const of = this.value(node.of);
    const bound = (part: Expression | undefined): number | undefined => {
      const value = part && this.value(part);
      if (value === undefined || value === null) return undefined;
      return typeof value === 'number' && Number.isInteger(value)
        ? value
        : this.complainAt(node.at)('value', 'Slices need whole numbers');
    };
    const [from, to] = [bound(node.from), bound(node.to)];
    return typeof of === 'string' ? of.slice(from, to) : itemsOf(of, this.complainAt(node.at)).slice(from, to);
  }
}

function arithmetic(operator: string, a: number, b: number, complain: Complain): number {
  if ((operator === '/' || operator === '//' || operator === '%') && b === 0) complain('value', 'Division by zero');
  const value =
    operator === '+'
      ? a + b
      : operator === '-'
        ? a - b
        : operator === '*'
          ? a * b
          : operator === '/'
            ? a / b
            : operator === '//'
              ? Math.floor(a / b)
              : operator === '%'
                ? a - b * Math.floor(a / b)
                : a ** b;
  return Number.isFinite(value) ? value : complain('limit', 'The number is too large');
}

function equal(a: ConfigValue, b: ConfigValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => equal(item, b[at]));
  return a === b;
}
