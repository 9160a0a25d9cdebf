/** Recursive descent over Python's expression grammar, cut down to what bundles need (specs/monai.md B.2). */
import { expressionError } from './expression-error.js';
import type { Expression } from './syntax.js';
import { type Token, tokenize } from './tokens.js';

/** Deeper nesting than this is no configuration but an attack on the stack. */
const MAXIMUM_DEPTH = 64;
const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);
const REFUSED_WORDS = new Set([
  'for',
  'lambda',
  'await',
  'async',
  'yield',
  'import',
  'from',
  'del',
  'exec',
  'eval',
  'with',
  'while',
  'def',
  'class',
]);

/** Throws ExpressionError. A lambda stays text: what it says is recognised, or refused, by who needs it. */
export function parseExpression(source: string): Expression {
  if (/^\s*lambda\b/.test(source)) return { kind: 'lambda', text: source.trim(), at: 0 };
  return new Parser(source, tokenize(source)).whole();
}

class Parser {
  private next = 0;
  private depth = 0;

  constructor(
    private readonly source: string,
    private readonly tokens: readonly Token[],
  ) {}

  whole(): Expression {
    const expression = this.expression();
    const token = this.peek();
    if (token.kind !== 'end') this.unexpected(token);
    return expression;
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)];
  }

  private isOperator(text: string): boolean {
    const token = this.peek();
    return token.kind === 'operator' && token.text === text;
  }

  private isWord(text: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.text === text;
  }

  private take(text: string): boolean {
    if (!this.isOperator(text) && !this.isWord(text)) return false;
    this.next++;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) this.unexpected(this.peek(), `; "${text}" is missing`);
  }

  private unexpected(token: Token, extra = ''): never {
    if (token.kind === 'name' && REFUSED_WORDS.has(token.text)) {
      const what = token.text === 'for' ? 'Comprehensions are' : `"${token.text}" is`;
      throw expressionError('refused', `${what} not evaluated`, this.source, token.at);
    }
    const what = token.kind === 'end' ? 'The expression ends too early' : 'This cannot stand here';
    throw expressionError('syntax', `${what}${extra}`, this.source, token.at);
  }

  private expression(): Expression {
    if (++this.depth > MAXIMUM_DEPTH)
      throw expressionError('limit', `Expressions may be nested ${MAXIMUM_DEPTH} deep`, this.source, this.peek().at);
    const yes = this.or();
    let result = yes;
    if (this.take('if')) {
      const condition = this.or();
      this.expect('else');
      result = { kind: 'choice', condition, yes, no: this.expression(), at: yes.at };
    }
    this.depth--;
    return result;
  }

  private or(): Expression {
    let left = this.and();
    while (this.isWord('or')) {
      const { at } = this.peek();
      this.next++;
      left = { kind: 'logic', operator: 'or', left, right: this.and(), at };
    }
    return left;
  }

  private and(): Expression {
    let left = this.not();
    while (this.isWord('and')) {
      const { at } = this.peek();
      this.next++;
      left = { kind: 'logic', operator: 'and', left, right: this.not(), at };
    }
    return left;
  }

  private not(): Expression {
    if (!this.isWord('not')) return this.comparison();
    return this.prefixed('not', () => this.not());
  }

  private prefixed(operator: '-' | '+' | 'not', operand: () => Expression): Expression {
    const { at } = this.peek();
    this.next++;
    if (++this.depth > MAXIMUM_DEPTH)
      throw expressionError('limit', `Expressions may be nested ${MAXIMUM_DEPTH} deep`, this.source, at);
    const inner = operand();
    this.depth--;
    return { kind: 'unary', operator, operand: inner, at };
  }

  private comparison(): Expression {
    const first = this.sum();
    const rest: (readonly [string, Expression])[] = [];
    for (let operator = this.comparisonOperator(); operator; operator = this.comparisonOperator())
      rest.push([operator, this.sum()]);
    return rest.length > 0 ? { kind: 'compare', first, rest, at: first.at } : first;
  }

  private comparisonOperator(): string | undefined {
    const token = this.peek();
    if (token.kind === 'operator' && COMPARISONS.has(token.text)) {
      this.next++;
      return token.text;
    }
    if (this.take('in')) return 'in';
    if (this.take('is')) return this.take('not') ? 'is not' : 'is';
    const after = this.peek(1);
    if (this.isWord('not') && after.kind === 'name' && after.text === 'in') {
      this.next += 2;
      return 'not in';
    }
    return undefined;
  }

  private binary(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    for (let token = this.peek(); token.kind === 'operator' && operators.includes(token.text); token = this.peek()) {
      this.next++;
      left = { kind: 'binary', operator: token.text, left, right: operand(), at: token.at };
    }
    return left;
  }

  private sum(): Expression {
    return this.binary(['+', '-'], () => this.product());
  }

  private product(): Expression {
    return this.binary(['*', '/', '//', '%'], () => this.signed());
  }

  private signed(): Expression {
    if (this.isOperator('-')) return this.prefixed('-', () => this.signed());
    if (this.isOperator('+')) return this.prefixed('+', () => this.signed());
    const base = this.postfix();
    if (!this.isOperator('**')) return base;
    const { at } = this.peek();
    this.next++;
    return { kind: 'binary', operator: '**', left: base, right: this.signed(), at };
  }

  private postfix(): Expression {
    let value = this.atom();
    for (;;) {
      const { at } = this.peek();
      if (this.take('.')) {
        const token = this.peek();
        if (token.kind !== 'name') this.unexpected(token);
        this.next++;
        value = { kind: 'attribute', of: value, name: token.kind === 'name' ? token.text : '', at: token.at };
      } else if (this.take('(')) value = this.call(value, at);
      else if (this.take('[')) value = this.subscript(value, at);
      else return value;
    }
  }

  private call(callee: Expression, at: number): Expression {
    const positional: Expression[] = [];
    const named: (readonly [string, Expression])[] = [];
    while (!this.take(')')) {
      const token = this.peek();
      const after = this.peek(1);
      if (token.kind === 'operator' && (token.text === '*' || token.text === '**'))
        throw expressionError('refused', 'Argument unpacking is not evaluated', this.source, token.at);
      if (token.kind === 'name' && after.kind === 'operator' && after.text === '=') {
        this.next += 2;
        named.push([token.text, this.expression()]);
      } else positional.push(this.expression());
      if (!this.take(',') && !this.isOperator(')')) this.unexpected(this.peek());
    }
    return { kind: 'call', callee, positional, named, at };
  }

  private subscript(of: Expression, at: number): Expression {
    const from = this.isOperator(':') ? undefined : this.expression();
    if (this.take(':')) {
      const to = this.isOperator(']') ? undefined : this.expression();
      this.expect(']');
      return { kind: 'slice', of, from, to, at };
    }
    this.expect(']');
    return { kind: 'index', of, index: from!, at };
  }

  private atom(): Expression {
    const token = this.peek();
    this.next++;
    switch (token.kind) {
      case 'number':
        return { kind: 'constant', value: token.value, at: token.at };
      case 'string': {
        let value = token.value;
        for (let more = this.peek(); more.kind === 'string'; more = this.peek()) {
          value += more.value;
          this.next++;
        }
        return { kind: 'constant', value, at: token.at };
      }
      case 'reference':
        return { kind: 'reference', id: token.id, at: token.at };
      case 'name':
        if (token.text === 'None') return { kind: 'constant', value: null, at: token.at };
        if (token.text === 'True' || token.text === 'False')
          return { kind: 'constant', value: token.text === 'True', at: token.at };
        if (REFUSED_WORDS.has(token.text)) this.unexpected(token);
        return { kind: 'name', text: token.text, at: token.at };
      case 'operator':
        if (token.text === '(') return this.parenthesis(token.at);
        if (token.text === '[') return { kind: 'list', items: this.items(']'), at: token.at };
        if (token.text === '{') return this.braces(token.at);
        break;
      case 'end':
    }
    return this.unexpected(token);
  }

  private items(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.take(close)) {
      items.push(this.expression());
      if (!this.take(',') && !this.isOperator(close)) this.unexpected(this.peek());
    }
    return items;
  }

  private parenthesis(at: number): Expression {
    if (this.take(')')) return { kind: 'list', items: [], at };
    const first = this.expression();
    if (this.take(')')) return first;
    if (!this.isOperator(',')) this.unexpected(this.peek());
    this.next++;
    return { kind: 'list', items: [first, ...this.items(')')], at };
  }

  private braces(at: number): Expression {
    if (this.take('}')) return { kind: 'dict', entries: [], at };
    const first = this.expression();
    if (!this.take(':')) {
      if (!this.take(',') && !this.isOperator('}')) this.unexpected(this.peek());
      return { kind: 'set', items: [first, ...this.items('}')], at };
    }
    const entries: (readonly [Expression, Expression])[] = [[first, this.expression()]];
    while (!this.take('}')) {
      if (!this.take(',')) this.unexpected(this.peek());
      if (this.take('}')) break;
      const key = this.expression();
      this.expect(':');
      entries.push([key, this.expression()]);
    }
    return { kind: 'dict', entries, at };
  }
}
