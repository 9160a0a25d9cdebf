/** What a configuration evaluates to: plain data, and descriptions of objects. Nothing here can run by itself. */

/** An instantiation that was asked for: the name of a class and its arguments. What exists for it is looked up in our own tables. */
export class TargetObject {
  constructor(
    readonly target: string,
    readonly named: Readonly<Record<string, ConfigValue>>,
    readonly positional: readonly ConfigValue[] = [],
    /** `callable`: asked for as a function that is not called yet. */
    readonly mode: 'default' | 'callable' = 'default',
    /** Path of ids in the configuration. */
    readonly id = '',
  ) {}

  /** Last piece of a dotted name, with MONAI's three spellings of dictionary transforms (d, D, Dict) made one. */
  get shortName(): string {
    const last = this.target.slice(this.target.lastIndexOf('.') + 1);
    return /[a-z0-9]Dict$/.test(last)
      ? `${last.slice(0, -4)}d`
      : /[a-z0-9]D$/.test(last)
        ? `${last.slice(0, -1)}d`
        : last;
  }
}

/** A name of a library that stands for a value, e.g. `torch.float32`. */
export class LibraryName {
  constructor(readonly text: string) {}

  get shortName(): string {
    return this.text.slice(this.text.lastIndexOf('.') + 1);
  }
}

/** A lambda as text; never evaluated. */
export class LambdaText {
  constructor(readonly text: string) {}
}

export type ConfigDict = { readonly [key: string]: ConfigValue };
export type ConfigValue =
  | null
  | boolean
  | number
  | string
  | readonly ConfigValue[]
  | TargetObject
  | LibraryName
  | LambdaText
  | ConfigDict;

export function isDict(value: ConfigValue): value is ConfigDict {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof TargetObject) &&
    !(value instanceof LibraryName) &&
    !(value instanceof LambdaText)
  );
}

/** Python's truth: 0, '', None, False and empty collections are false. */
export function isTrue(value: ConfigValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isDict(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}
