/**
 * MONAI's configuration language (specs/monai.md B.2): `@` references, `$` expressions, `%` macros, `_target_` objects.
 * Items are evaluated when they are asked for, once each; what nobody asks for is never looked at.
 */
import type { Json } from '../bundle.js';
import { evaluateExpression } from '../expression/evaluate.js';
import { ExpressionError } from '../expression/expression-error.js';
import { ConfigError } from './config-error.js';
import { absoluteId, itemAt, joinId, piecesOf, SEPARATOR } from './ids.js';
import { expandMacros } from './macros.js';
import { type ConfigValue, isDict, isTrue, TargetObject } from './values.js';

type Tree = { readonly [key: string]: Json };

/** Nested deeper than this (references included) is no real configuration. */
const MAXIMUM_DEPTH = 128;
const NOTES = new Set(['_target_', '_desc_', '_meta_', '_disabled_', '_requires_', '_mode_']);
/** A text that is one reference and nothing else. */
const WHOLE_REFERENCE = /^@((?:#|::)*\w+(?:(?:#|::)\w+)*)$/;
/** Modules that an expression may name; importing them here does nothing. */
const IMPORT =
  /^\s*(?:import\s+(?:glob|os|sys|json|math|pathlib|functools|itertools|torch|monai|numpy|monai(?:\.\w+)+|torch(?:\.\w+)+)(?:\s+as\s+\w+)?|from\s+(?:pathlib|monai(?:\.\w+)*)\s+import\s+\w+(?:\s*,\s*\w+)*)\s*$/;

export class Config {
  private readonly tree: Tree;
  private readonly values = new Map<string, ConfigValue>();
  private readonly open: string[] = [];

  /** `folder` is the bundle's; macros may name files in it. Throws ConfigError of the macros. */
  constructor(tree: Tree, folder: string) {
    this.tree = expandMacros(tree, folder);
  }

  has(id: string): boolean {
    return itemAt(this.tree, piecesOf(id)) !== undefined;
  }

  /** The raw item, macros expanded. */
  raw(id: string): Json | undefined {
    return itemAt(this.tree, piecesOf(id));
  }

  /** Import statements that are not on the list of harmless ones. */
  refusedImports(): string[] {
    const imports = this.raw('imports');
    const list = Array.isArray(imports) ? (imports as readonly Json[]) : imports === undefined ? [] : [imports];
    return list
      .filter((item) => !(typeof item === 'string' && item.startsWith('$') && IMPORT.test(item.slice(1))))
      .map(String);
  }

  /** Value of the item; evaluated once. Throws ConfigError, ExpressionError. */
  value(id: string): ConfigValue {
    const key = piecesOf(id).join(SEPARATOR);
    const known = this.values.get(key);
    if (known !== undefined) return known;
    if (this.open.includes(key))
      throw new ConfigError(
        'circular-reference',
        `Items refer to each other in a circle: ${[...this.open.slice(this.open.indexOf(key)), key].join(' → ')}`,
        { where: key },
      );
    if (this.open.length > MAXIMUM_DEPTH)
      throw new ConfigError('limit', 'The configuration is nested too deeply', { where: key });
    this.open.push(key);
    try {
      const value = this.lookUp(key);
      this.values.set(key, value);
      return value;
    } finally {
      this.open.pop();
    }
  }

  private lookUp(id: string): ConfigValue {
    const pieces = piecesOf(id);
    const item = itemAt(this.tree, pieces);
    if (item !== undefined) return this.evaluate(item, id);
    // Part of something that only exists after evaluation, e.g. an entry of a computed list.
    for (let n = pieces.length - 1; n > 0; n--) {
      if (itemAt(this.tree, pieces.slice(0, n)) === undefined) continue;
      let value: ConfigValue | undefined = this.value(pieces.slice(0, n).join(SEPARATOR));
      for (const piece of pieces.slice(n)) {
        if (Array.isArray(value))
          value = /^\d+$/.test(piece) ? (value as readonly ConfigValue[])[Number(piece)] : undefined;
        else if (value instanceof TargetObject) value = value.named[piece];
        else value = value !== undefined && isDict(value) && Object.hasOwn(value, piece) ? value[piece] : undefined;
      }
      if (value !== undefined) return value;
      break;
    }
    throw new ConfigError('unknown-id', `There is no item "${id}" in the configuration`, {
      where: this.open.at(-2) ?? id,
    });
  }

  private evaluate(item: Json, id: string): ConfigValue {
    if (typeof item === 'string') return this.text(item, id);
    if (item === null || typeof item !== 'object') return item;
    if (Array.isArray(item))
      return item.flatMap((child: Json, at): ConfigValue[] => {
        const childId = joinId(id, at);
        return this.isDisabled(child, childId) ? [] : [this.value(childId)];
      });
    return this.object(item as Tree, id);
  }

  private text(text: string, id: string): ConfigValue {
    const whole = WHOLE_REFERENCE.exec(text);
    if (whole) return this.value(absoluteId(whole[1], id));
    if (!text.startsWith('$')) return text;
    if (IMPORT.test(text.slice(1))) return null;
    try {
      return evaluateExpression(text.slice(1), (reference) => this.value(absoluteId(reference, id)));
    } catch (error) {
      if (!(error instanceof ExpressionError) || error.where?.startsWith('item ')) throw error;
      throw new ExpressionError(error.kind, error.message, {
        where: `item ${id}, ${error.where}`,
        next: error.next,
        cause: error,
      });
    }
  }

  private object(item: Tree, id: string): ConfigValue {
    if (this.isDisabled(item, id)) return null;
    const named: Record<string, ConfigValue> = Object.create(null);
    for (const key of Object.keys(item)) if (!NOTES.has(key)) named[key] = this.value(joinId(id, key));
    if (!Object.hasOwn(item, '_target_')) return named;
    this.checkRequired(item._requires_, id);
    const target = item._target_;
    if (typeof target !== 'string' || !/^[A-Za-z_][\w.]*$/.test(target))
      throw new ConfigError('invalid-item', '_target_ must be the name of a class', { where: id });
    const mode = item._mode_ ?? 'default';
    if (mode !== 'default' && mode !== 'callable' && mode !== 'debug')
      throw new ConfigError('invalid-item', `_mode_ is default, callable or debug`, { where: id });
    return new TargetObject(target, named, [], mode === 'callable' ? 'callable' : 'default', id);
  }

  private isDisabled(item: Json, id: string): boolean {
    if (item === null || typeof item !== 'object' || Array.isArray(item)) return false;
    const flag = (item as Tree)._disabled_;
    if (flag === undefined) return false;
    if (typeof flag !== 'string') return flag === true;
    return (
      flag.trim().toLowerCase() === 'true' ||
      isTrue(flag.startsWith('$') || flag.startsWith('@') ? this.text(flag, joinId(id, '_disabled_')) : false)
    );
  }

  /** Requirements only order side effects, and evaluating has none here: they must exist, and are not evaluated. */
  private checkRequired(required: Json | undefined, id: string): void {
    const list = Array.isArray(required) ? (required as readonly Json[]) : required === undefined ? [] : [required];
    for (const entry of list) {
      const whole = typeof entry === 'string' ? WHOLE_REFERENCE.exec(entry) : null;
      const target = whole && absoluteId(whole[1], joinId(id, '_requires_'));
      if (target && !this.has(target))
        throw new ConfigError('unknown-id', `There is no item "${target}"`, { where: id });
      if (target && this.open.includes(target))
        throw new ConfigError('circular-reference', `"${id}" requires "${target}", which needs it`, { where: id });
    }
  }
}
