/**
 * The stack, marks and memo of Python's pickle virtual machine (`pickletools`), without its danger: it builds the plain
 * records of values.ts and calls nothing but the functions of the allow-list, which are our own.
 */
import { SAVE_AS_STATE_DICT, shown, WeightsError } from '../weights-error.js';
import type { PickleBytes } from './pickle-bytes.js';
import { type PickleRules, type Refusal, refusal } from './refusal.js';
import { isKind, kindOf, type PyDict, type PyValue } from './values.js';

export class PickleMachine {
  private stack: PyValue[] = [];
  private readonly marks: PyValue[][] = [];
  private readonly memo = new Map<number, PyValue>();
  private readonly refused = new Map<string, Refusal>();
  private objects = 0;

  constructor(
    readonly from: PickleBytes,
    private readonly rules: PickleRules,
  ) {}

  get result(): PyValue {
    if (this.stack.length !== 1 || this.marks.length > 0) throw this.from.corrupt('The pickle ends with open work');
    return this.stack[0];
  }

  get refusals(): readonly Refusal[] {
    return [...this.refused.values()];
  }

  push(value: PyValue): void {
    this.stack.push(value);
  }

  private pushObject(value: PyValue): void {
    if (++this.objects > this.rules.limits.maximumObjects)
      throw this.limit(`The pickle makes more than ${this.rules.limits.maximumObjects} objects`);
    this.stack.push(value);
  }

  pushTuple(items: PyValue[]): void {
    this.pushObject({ kind: 'tuple', items });
  }

  pushList(items: PyValue[]): void {
    this.pushObject({ kind: 'list', items });
  }

  pushSet(items: PyValue[]): void {
    this.pushObject({ kind: 'set', items: new Set(items) });
  }

  pushDict(pairs: PyValue[]): void {
    const dict: PyDict = { kind: 'dict', ordered: false, entries: new Map() };
    this.pushObject(dict);
    this.setItems(pairs);
  }

  popMany(count: number): PyValue[] {
    if (this.stack.length < count) throw this.from.corrupt('The pickle takes more from its stack than is there');
    return this.stack.splice(this.stack.length - count, count);
  }

  /** Python: with nothing since the last mark, the mark itself goes. */
  drop(): void {
    if (this.stack.length === 0) this.popMark();
    else this.stack.pop();
  }

  top(): PyValue {
    if (this.stack.length === 0) throw this.from.corrupt('The pickle looks at an empty stack');
    return this.stack[this.stack.length - 1];
  }

  mark(): void {
    if (this.marks.length >= this.rules.limits.maximumDepth)
      throw this.limit(`The pickle nests deeper than ${this.rules.limits.maximumDepth}`);
    this.marks.push(this.stack);
    this.stack = [];
  }

  popMark(): PyValue[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (below === undefined) throw this.from.corrupt('The pickle looks for a mark that is not there');
    this.stack = below;
    return items;
  }

  append(items: PyValue[]): void {
    const target = this.top();
    if (isKind(target, 'opaque')) return;
    if (!isKind(target, 'list')) throw this.wrongTarget('Items are added to', target);
    for (const item of items) target.items.push(item);
  }

  addItems(items: PyValue[]): void {
    const target = this.top();
    if (isKind(target, 'opaque')) return;
    if (!isKind(target, 'set')) throw this.wrongTarget('Items are added to', target);
    for (const item of items) target.items.add(item);
  }

  setItems(pairs: PyValue[]): void {
    const target = this.top();
    if (pairs.length % 2 !== 0) throw this.from.corrupt('A key has no value');
    if (isKind(target, 'opaque')) return;
    if (!isKind(target, 'dict')) throw this.wrongTarget('Keys are set on', target);
    for (let n = 0; n < pairs.length; n += 2) target.entries.set(pairs[n], pairs[n + 1]);
  }

  remember(index = this.memo.size): void {
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.from.corrupt(`Memo ${index} is empty`);
    this.push(value);
  }

  pushGlobal(module: string, name: string): void {
    const full = `${module}.${name}`;
    const found = this.rules.find(full);
    if (found) {
      this.push(found);
      return;
    }
    if (this.rules.refusals === 'throw') throw refusal(full, this.from.opcodeAt);
    const refused = shown(full);
    if (!this.refused.has(refused)) this.refused.set(refused, { refused, offset: this.from.opcodeAt });
    this.pushObject({ kind: 'opaque', refused });
  }

  itemsOf(args: PyValue): readonly PyValue[] {
    if (!isKind(args, 'tuple'))
      throw new WeightsError('bad-arguments', `Arguments are ${kindOf(args)}, not a tuple`, {
        next: SAVE_AS_STATE_DICT,
      });
    return args.items;
  }

  reduce(): void {
    const [callee, args] = this.popMany(2);
    if (isKind(callee, 'opaque')) this.push(callee);
    else if (isKind(callee, 'global') && callee.call) this.pushObject(callee.call(this.itemsOf(args)));
    else throw this.notCallable(callee);
  }

  create(type: PyValue | undefined, args: readonly PyValue[]): void {
    if (isKind(type, 'opaque')) {
      this.push(type);
      return;
    }
    if (!isKind(type, 'global') || !type.create) throw this.notCallable(type);
    if (args.length > 0)
      throw new WeightsError('bad-arguments', `${type.name} is made with ${args.length} arguments; none are allowed`, {
        refused: type.name,
        next: SAVE_AS_STATE_DICT,
      });
    this.pushObject(type.create());
  }

  /** `__setstate__` or `__dict__` in Python. Only records that expect a state take one; a dict's attributes are left out. */
  build(): void {
    const [state] = this.popMany(1);
    const target = this.top();
    if (isKind(target, 'opaque')) return;
    if (isKind(target, 'instance')) {
      target.state = state;
      return;
    }
    if (isKind(target, 'numpy-type') && isKind(state, 'tuple')) {
      const order = state.items[1];
      if (order !== '<' && order !== '>' && order !== '|' && order !== '=')
        throw this.wrongTarget('An unknown byte order is set on', target);
      target.littleEndian = order !== '>';
      return;
    }
    if (isKind(target, 'numpy-array') && isKind(state, 'tuple')) return;
    if (isKind(target, 'dict') && target.ordered && isKind(state, 'dict')) return;
    throw this.wrongTarget('A state is set on', target);
  }

  /** A storage in place of its name. */
  persistent(): void {
    this.pushObject(this.rules.persistent(this.popMany(1)[0]));
  }

  private wrongTarget(what: string, target: PyValue): WeightsError {
    const name = isKind(target, 'global') ? target.name : kindOf(target);
    return this.refusedObject(`${what} ${shown(name)}, which takes none`, target);
  }

  private notCallable(callee: PyValue | undefined): WeightsError {
    const name = isKind(callee, 'global') ? callee.name : kindOf(callee);
    return this.refusedObject(`${shown(name)} is called like a function`, callee);
  }

  private refusedObject(message: string, value: PyValue | undefined): WeightsError {
    const refused = isKind(value, 'global') ? value.name : undefined;
    return new WeightsError('refused-object', message, { refused, next: SAVE_AS_STATE_DICT });
  }

  private limit(message: string): WeightsError {
    return new WeightsError('limit-exceeded', message, { next: SAVE_AS_STATE_DICT });
  }
}
