/** Reads the arguments of a transform from its configuration; what is not understood is refused, never ignored. */
import { type ConfigValue, LibraryName, type TargetObject } from '../bundle/config/values.js';
import { TransformError } from './transform-error.js';

/** Arguments of MONAI that change nothing about numbers here. */
const WITHOUT_EFFECT = new Set([
  'allow_missing_keys',
  'device',
  'track_meta',
  'meta_keys',
  'meta_key_postfix',
  'data_type',
  'image_only',
  'ensure_channel_first',
  'simple_keys',
  'prune_meta_pattern',
  'prune_meta_sep',
  'overwriting',
  'drop_meta',
  'lazy',
  'strict_check',
  'wrap_sequence',
  'start_coord_key',
  'end_coord_key',
  'dtype',
]);

export class Arguments {
  readonly name: string;
  private readonly used = new Set<string>();
  private readonly named: Record<string, ConfigValue>;

  constructor(private readonly object: TargetObject) {
    this.name = object.shortName;
    this.named = { ...object.named };
    if (object.positional.length > 0) {
      if (object.positional.length > 1 || 'keys' in this.named)
        throw this.error('unsupported-argument', 'only `keys` may stand without a name');
      this.named.keys = object.positional[0];
    }
  }

  error(kind: 'invalid-argument' | 'unsupported-argument' | 'unsupported', message: string): TransformError {
    return new TransformError(kind, `${this.name}: ${message}`, {
      where: this.object.id || this.name,
      next: 'docs/reference/bundle.md lists the arguments that are supported',
    });
  }

  /** Undefined when absent or None. */
  get(name: string): ConfigValue | undefined {
    this.used.add(name);
    const value = this.named[name];
    return value === null ? undefined : value;
  }

  /** Arguments that are accepted at their default only. */
  only(name: string, ...allowed: ConfigValue[]): void {
    const value = this.get(name);
    if (value !== undefined && !allowed.some((candidate) => JSON.stringify(candidate) === JSON.stringify(value)))
      throw this.error('unsupported-argument', `${name} = ${JSON.stringify(value)} is not supported`);
  }

  keys(name = 'keys'): string[] {
    const value = this.get(name);
    const list = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(list) || list.length === 0 || !list.every((key) => typeof key === 'string'))
      throw this.error('invalid-argument', `${name} must be the name of a sample entry or a list of them`);
    return list as string[];
  }

  number(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw this.error('invalid-argument', `${name} must be a number`);
    return value;
  }

  required(name: string): number {
    const value = this.number(name);
    if (value === undefined) throw this.error('invalid-argument', `${name} is missing`);
    return value;
  }

  flag(name: string, standard: boolean): boolean {
    const value = this.get(name);
    if (value === undefined) return standard;
    if (typeof value !== 'boolean') throw this.error('invalid-argument', `${name} must be true or false`);
    return value;
  }

  text(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (value instanceof LibraryName) return value.shortName;
    if (typeof value !== 'string') throw this.error('invalid-argument', `${name} must be text`);
    return value;
  }

  /** A list of numbers; one number counts as a list of one. */
  numbers(name: string): number[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const list = typeof value === 'number' ? [value] : value;
    if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'number'))
      throw this.error('invalid-argument', `${name} must be a number or a list of numbers`);
    return list as number[];
  }

  /** MONAI lets an argument be one value for all keys or a list with one per key. */
  perKey<T>(name: string, keys: readonly string[], read: (value: ConfigValue) => T | undefined, standard: T): T[] {
    const value = this.get(name);
    if (value === undefined) return keys.map(() => standard);
    const list =
      Array.isArray(value) && value.length === keys.length ? (value as readonly ConfigValue[]) : keys.map(() => value);
    return list.map((entry) => {
      const single = Array.isArray(entry) && entry.length === 1 ? (entry[0] as ConfigValue) : entry;
      const result = single === null ? standard : read(single);
      if (result === undefined)
        throw this.error('invalid-argument', `${name} = ${JSON.stringify(entry)} is not supported`);
      return result;
    });
  }

  /** To be called when everything was read. */
  finish(): void {
    const unknown = Object.keys(this.named).filter((name) => !this.used.has(name) && !WITHOUT_EFFECT.has(name));
    if (unknown.length > 0)
      throw this.error('unsupported-argument', `the argument ${unknown.join(', ')} is not supported`);
  }
}
