/**
 * Reads constructor arguments that came from a configuration file: each by its keyword, checked when it is read; what nobody read
 * in the end is unknown. Python's names and defaults are kept, so that a bundle's network definition can be handed over as it is.
 */
import type { LayerSpec } from './modules/spec.js';
import { NetworkError } from './network-error.js';

export type NetworkArguments = Readonly<Record<string, unknown>>;

/** Bounds against configurations that would build for hours. */
const MOST_CHANNELS = 65_536;
const MOST_ITEMS = 64;

export class Arguments {
  readonly #of: string;
  readonly #given: NetworkArguments;
  readonly #read = new Set<string>();

  constructor(of: string, given: NetworkArguments) {
    this.#of = of;
    this.#given = given;
  }

  /** Throws NetworkError `unsupported-argument`. */
  unsupported(name: string, why: string): never {
    throw new NetworkError('unsupported-argument', `${this.#of}: ${name} = ${shown(this.#given[name])} ${why}`, {
      where: name,
    });
  }

  /** Throws NetworkError `wrong-argument`. */
  wrong(name: string, why: string): never {
    throw new NetworkError('wrong-argument', `${this.#of}: ${name} = ${shown(this.#given[name])} ${why}`, {
      where: name,
    });
  }

  /** undefined where it is absent (a default then applies); null stays null. */
  #take(name: string): unknown {
    this.#read.add(name);
    return this.#given[name];
  }

  #required<T>(name: string, value: T | undefined): T {
    if (value !== undefined) return value;
    throw new NetworkError('wrong-argument', `${this.#of} wants ${name}`, { where: name });
  }

  has(name: string): boolean {
    return this.#given[name] !== undefined && this.#given[name] !== null;
  }

  /** Explicitly nothing. */
  isNull(name: string): boolean {
    return this.#take(name) === null;
  }

  whole(name: string, byDefault?: number): number {
    const value = this.#take(name) ?? this.#required(name, byDefault);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > MOST_CHANNELS)
      return this.wrong(name, `is no whole number up to ${MOST_CHANNELS}`);
    return value;
  }

  /** 2 or 3 (1 as well, where a network has it). */
  space(name = 'spatial_dims', byDefault?: number): number {
    const value = this.whole(name, byDefault);
    return value === 2 || value === 3 ? value : this.unsupported(name, 'is neither 2 nor 3');
  }

  real(name: string, byDefault?: number): number {
    const value = this.#take(name) ?? this.#required(name, byDefault);
    return typeof value === 'number' && Number.isFinite(value) ? value : this.wrong(name, 'is no number');
  }

  /** A probability; null and absence are 0. */
  share(name: string, byDefault = 0): number {
    const given = this.#take(name);
    const value = given === null ? 0 : (given ?? byDefault);
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) return this.wrong(name, 'is no number from 0 to 1');
    return value;
  }

  /** A list of probabilities; null in it is 0. */
  shares(name: string, byDefault: readonly number[]): readonly number[] {
    const value = this.#take(name) ?? byDefault;
    const fits = (p: unknown) => p === null || (typeof p === 'number' && p >= 0 && p <= 1);
    if (!Array.isArray(value) || value.length !== byDefault.length || !value.every(fits))
      return this.wrong(name, `is no list of ${byDefault.length} numbers from 0 to 1`);
    return value.map((p) => p ?? 0);
  }

  /** Whether a version ("1.4.0") is at least `least`; so where none is given. */
  version(name: string, least: readonly [number, number]): boolean {
    const value = this.#take(name) ?? least.join('.');
    const found = typeof value === 'string' ? /^v?(\d{1,4})\.(\d{1,4})/.exec(value) : null;
    if (!found) return this.wrong(name, 'is no version');
    const [major, minor] = [Number(found[1]), Number(found[2])];
    return major !== least[0] ? major > least[0] : minor >= least[1];
  }

  flag(name: string, byDefault?: boolean): boolean {
    const value = this.#take(name) ?? this.#required(name, byDefault);
    return typeof value === 'boolean' ? value : this.wrong(name, 'is neither true nor false');
  }

  text<T extends string>(name: string, choices: readonly T[], byDefault?: T): T {
    const value = this.#take(name) ?? this.#required(name, byDefault);
    const found = choices.find((choice) => choice === value);
    return found ?? this.unsupported(name, `is not one of ${choices.join(', ')}`);
  }

  /** A list of whole numbers; one alone is a list of one, as with MONAI's ensure_tuple. */
  wholes(name: string, byDefault?: readonly number[]): readonly number[] {
    const value = this.#take(name) ?? this.#required(name, byDefault);
    return this.#wholeList(name, typeof value === 'number' ? [value] : value);
  }

  /** One whole number for all axes, or a list with one for each. */
  perAxis(name: string, space: number, byDefault?: number): readonly number[] {
    return this.#axes(name, this.#take(name) ?? this.#required(name, byDefault), space);
  }

  /** A list of such. */
  perAxisList(name: string, space: number): readonly (readonly number[])[] {
    const value = this.#required(name, this.#take(name));
    if (!Array.isArray(value) || value.length > MOST_ITEMS) return this.wrong(name, 'is no list');
    return value.map((item) => this.#axes(name, item, space));
  }

  /** Three numbers for all blocks, or a list of such, one for each block. */
  perBlock(name: string, blocks: number, byDefault: readonly number[]): readonly (readonly number[])[] {
    const value = this.#take(name) ?? byDefault;
    if (!Array.isArray(value) || !Array.isArray(value[0]))
      return new Array<readonly number[]>(blocks).fill(this.#axes(name, value, 3));
    return value.length === blocks
      ? value.map((item) => this.#axes(name, item, 3))
      : this.wrong(name, `has ${value.length} items for ${blocks} blocks`);
  }

  #axes(name: string, value: unknown, space: number): readonly number[] {
    if (typeof value === 'number') return new Array<number>(space).fill(this.#wholeList(name, [value])[0]);
    const list = this.#wholeList(name, value);
    return list.length === space ? list : this.wrong(name, `has ${list.length} numbers for ${space} axes`);
  }

  #wholeList(name: string, value: unknown): readonly number[] {
    const fits = (n: unknown) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 && n <= MOST_CHANNELS;
    if (!Array.isArray(value) || value.length > MOST_ITEMS || !value.every(fits))
      return this.wrong(name, `is no list of at most ${MOST_ITEMS} whole numbers`);
    return value;
  }

  /** `"relu"`, `["leakyrelu", {"negative_slope": 0.1}]`, or nothing (null; "" as MONAI's identity). */
  layer(name: string, byDefault?: string | readonly [string, NetworkArguments] | null): LayerSpec | undefined {
    const given = this.#take(name);
    const value = given === undefined ? this.#required(name, byDefault) : given;
    if (value === null || value === '') return undefined;
    const [word, settings] = typeof value === 'string' ? [value, {}] : Array.isArray(value) ? value : [];
    if (typeof word !== 'string' || typeof settings !== 'object' || settings === null)
      return this.wrong(name, 'is neither the name of a layer nor [name, arguments]');
    return { name: word.toLowerCase(), arguments: new Arguments(`${this.#of} ${name} ${word}`, settings) };
  }

  /** Accepts and drops what changes no number: `inplace`, `use_checkpoint`, `progress`. */
  skip(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Only the stated value is supported. */
  only(name: string, value: unknown): void {
    const given = this.#take(name);
    if (given !== undefined && given !== value) this.unsupported(name, `is not supported; only ${shown(value)} is`);
  }

  /** Throws NetworkError `unsupported-argument`, naming what nobody read. */
  finish(): void {
    const left = Object.keys(this.#given).filter((name) => !this.#read.has(name));
    if (left.length > 0)
      throw new NetworkError('unsupported-argument', `${this.#of} has no argument ${left.join(', ')} here`, {
        where: left[0],
        next: `It reads: ${[...this.#read].join(', ')}`,
      });
  }
}

const MOST_SHOWN = 80;
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, MOST_SHOWN);
