/** Several configurations become one: later files win by top-level key, `+key` extends, `a::b` sets inside (specs/monai.md B.2). */
import type { Json } from '../bundle.js';
import { ConfigError } from './config-error.js';
import { itemAt, piecesOf, SEPARATOR } from './ids.js';

type Tree = { readonly [key: string]: Json };

const isTree = (item: Json | undefined): item is Tree =>
  typeof item === 'object' && item !== null && !Array.isArray(item);

/** Throws ConfigError `unknown-id` or `invalid-item` on an override that does not fit. */
export function mergeConfigs(base: Tree, overlay: Tree): Tree {
  let result: Tree = base;
  for (const [key, value] of Object.entries(overlay)) {
    const extend = key.startsWith('+');
    const pieces = piecesOf(extend ? key.slice(1) : key);
    result = replaceAt(result, pieces, extend ? extended(itemAt(result, pieces), value, key) : value, key) as Tree;
  }
  return result;
}

function extended(old: Json | undefined, more: Json, key: string): Json {
  if (old === undefined) return more;
  if (Array.isArray(old) && Array.isArray(more)) return [...old, ...more];
  if (isTree(old) && isTree(more)) return mergeConfigs(old, more);
  throw new ConfigError('invalid-item', `"${key}" cannot extend what is there: both must be lists or both objects`, {
    where: key,
  });
}

function replaceAt(item: Json | undefined, pieces: readonly string[], value: Json, key: string): Json {
  if (pieces.length === 0) return value;
  const [piece, ...rest] = pieces;
  if (Array.isArray(item)) {
    const at = Number(piece);
    if (!Number.isInteger(at) || at < 0 || at >= item.length)
      throw new ConfigError('unknown-id', `There is no list item ${piece} to override`, { where: key });
    return item.map((old: Json, position) => (position === at ? replaceAt(old, rest, value, key) : old));
  }
  if (!isTree(item) || (rest.length > 0 && !Object.hasOwn(item, piece)))
    throw new ConfigError('unknown-id', `There is nothing to override at ${pieces.join(SEPARATOR)}`, { where: key });
  const copy: Record<string, Json> = { ...item };
  Object.defineProperty(copy, piece, {
    value: replaceAt(item[piece], rest, value, key),
    enumerable: true,
    writable: true,
    configurable: true,
  });
  return copy;
}
