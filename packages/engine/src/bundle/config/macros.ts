/** `%id` and `%file.json::id`: a raw piece of configuration is copied in before anything is evaluated. Files stay inside the bundle. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import type { Json } from '../bundle.js';
import { ConfigError } from './config-error.js';
import { absoluteId, itemAt, joinId, piecesOf } from './ids.js';

/** A macro may copy a macro; longer chains are circles. */
const MAXIMUM_CHAIN = 32;
/** Copies of copies grow fast; no real configuration has this many items. */
const MAXIMUM_ITEMS = 100_000;
const MAXIMUM_FILE_BYTES = 16 * 1024 * 1024;

type Tree = { readonly [key: string]: Json };

/** The tree with every macro replaced. Throws ConfigError `macro`, `unknown-id` or `limit`. */
export function expandMacros(tree: Tree, folder: string): Tree {
  const files = new Map<string, Tree>();
  let items = 0;

  const expand = (item: Json, source: Tree, id: string, chain: number): Json => {
    if (++items > MAXIMUM_ITEMS)
      throw new ConfigError('limit', `The configuration has more than ${MAXIMUM_ITEMS} items`, { where: id });
    if (typeof item === 'string' && item.startsWith('%')) {
      if (chain > MAXIMUM_CHAIN)
        throw new ConfigError('macro', 'The macros refer to each other in a circle', { where: id });
      const [, file, inner] = /^%(?:(.+?\.(?:json|ya?ml))(?:::|#|$))?(.*)$/s.exec(item) ?? [];
      const target = file ? readTree(folder, file, files, id) : source;
      const targetId = file ? piecesOf(inner).join('::') : absoluteId(inner, id);
      const found = itemAt(target, piecesOf(targetId));
      if (found === undefined) throw new ConfigError('unknown-id', `The macro ${item} finds nothing`, { where: id });
      return expand(found, target, targetId, chain + 1);
    }
    if (Array.isArray(item)) return item.map((child: Json, at) => expand(child, source, joinId(id, at), chain));
    if (item !== null && typeof item === 'object') {
      const copy: Record<string, Json> = Object.create(null);
      for (const [key, child] of Object.entries(item))
        copy[key] = expand(child as Json, source, joinId(id, key), chain);
      return copy;
    }
    return item;
  };
  return expand(tree, tree, '', 0) as Tree;
}

/** Looked for beside the configurations first, as bundles are run from their own folder. */
function readTree(folder: string, name: string, files: Map<string, Tree>, id: string): Tree {
  const refuse = (message: string, cause?: unknown) => new ConfigError('macro', message, { where: id, cause });
  if (!name.endsWith('.json')) throw refuse(`The macro names ${name}; only JSON files are read`);
  const path = [join(folder, 'configs', name), resolve(folder, name)].find((candidate) => existsSync(candidate));
  if (!path) throw refuse(`The macro names ${name}, which the bundle does not have`);
  const real = realpathSync(path);
  if (!real.startsWith(realpathSync(folder) + sep)) throw refuse(`The macro names a file outside the bundle: ${name}`);
  const known = files.get(real);
  if (known) return known;
  if (statSync(real).size > MAXIMUM_FILE_BYTES) throw refuse(`${name} is too large for a configuration`);
  try {
    const tree = JSON.parse(readFileSync(real, 'utf8')) as Tree;
    files.set(real, tree);
    return tree;
  } catch (cause) {
    throw refuse(`${name} is not a JSON file`, cause);
  }
}
