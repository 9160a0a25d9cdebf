/** Walks what a pickle became and gives every tensor its dotted name, under limits: a pickle may refer to itself. */

import { checkedName } from './checked-name.js';
import type { CheckpointValue } from './checkpoint.js';
import type { WeightsLimits } from './limits.js';
import { isKind, type PyTensor, type PyValue } from './pickle/values.js';
import { SAVE_AS_STATE_DICT, WeightsError } from './weights-error.js';

export interface FoundTensor {
  readonly name: string;
  readonly path: readonly string[];
  readonly tensor: PyTensor;
}

export interface FoundNames {
  readonly tensors: readonly FoundTensor[];
  readonly values: ReadonlyMap<string, CheckpointValue>;
}

/** Throws WeightsError `limit-exceeded`, `duplicate-name`, `unsafe-name`. */
export function namedTensors(root: PyValue, limits: WeightsLimits): FoundNames {
  const walk = new Walk(limits);
  walk.visit(root, []);
  return walk;
}

class Walk implements FoundNames {
  readonly tensors: FoundTensor[] = [];
  readonly values = new Map<string, CheckpointValue>();
  private readonly names = new Set<string>();
  private readonly open = new Set<PyValue>();
  private characters = 0;
  private visits = 0;

  constructor(private readonly limits: WeightsLimits) {}

  visit(value: PyValue, path: readonly string[]): void {
    // A list that holds one list ten times, ten levels deep, is small in the file and endless here.
    if (++this.visits > this.limits.maximumParts)
      throw tooMuch(`The checkpoint has more than ${this.visits - 1} parts`);
    if (isKind(value, 'tensor')) this.addTensor(value, path);
    else if (isKind(value, 'dict')) this.inside(value, path, value.entries);
    else if (isKind(value, 'list') || isKind(value, 'tuple')) this.inside(value, path, value.items.entries());
    else if (isKind(value, 'instance')) this.inside(value, path, attributes(value.state));
    else if (value === null || typeof value !== 'object') this.addValue(value, path);
  }

  private inside(value: PyValue, path: readonly string[], entries: Iterable<[PyValue, PyValue]>): void {
    if (path.length >= this.limits.maximumDepth)
      throw tooMuch(`The checkpoint nests deeper than ${this.limits.maximumDepth}`);
    if (this.open.has(value)) throw tooMuch('The checkpoint holds itself');
    this.open.add(value);
    for (const [key, item] of entries) {
      const word = keyText(key);
      // Keys that are no names (tuples, bytes) belong to optimisers; a tensor below one has no dotted name.
      if (word !== undefined) this.visit(item, [...path, word]);
    }
    this.open.delete(value);
  }

  private addTensor(tensor: PyTensor, path: readonly string[]): void {
    if (this.tensors.length >= this.limits.maximumTensors)
      throw tooMuch(`The checkpoint names more than ${this.limits.maximumTensors} tensors`);
    this.tensors.push({ name: this.add(path), path, tensor });
  }

  /** Plain values are an extra: beyond the limit of names they are left out rather than refused. */
  private addValue(value: CheckpointValue, path: readonly string[]): void {
    if (this.values.size >= MOST_VALUES || path.length === 0) return;
    if (typeof value === 'string' && value.length > this.limits.maximumNameLength) return;
    const name = path.join('.');
    if (name.length <= MOST_VALUE_NAME) this.values.set(name, value);
  }

  private add(path: readonly string[]): string {
    const name = checkedName(path.join('.'), this.limits);
    this.characters += name.length;
    if (this.characters > this.limits.maximumNamesLength)
      throw tooMuch(`The names of the tensors have more than ${this.limits.maximumNamesLength} characters`);
    if (this.names.has(name))
      throw new WeightsError('duplicate-name', 'Two tensors have one name', { where: name, next: SAVE_AS_STATE_DICT });
    this.names.add(name);
    return name;
  }
}

/** Histories of losses are long and not asked for. */
const MOST_VALUES = 10_000;
const MOST_VALUE_NAME = 256;

function attributes(state: PyValue): Iterable<[PyValue, PyValue]> {
  if (isKind(state, 'dict')) return state.entries;
  if (isKind(state, 'list') || isKind(state, 'tuple')) return state.items.entries();
  return isKind(state, 'tensor') || isKind(state, 'instance') ? [['state', state]] : [];
}

function keyText(key: PyValue): string | undefined {
  if (typeof key === 'string') return key;
  if (typeof key === 'number' || typeof key === 'bigint') return String(key);
  return undefined;
}

function tooMuch(message: string): WeightsError {
  return new WeightsError('limit-exceeded', message, { next: SAVE_AS_STATE_DICT });
}
