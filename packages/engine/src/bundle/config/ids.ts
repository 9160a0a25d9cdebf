/** Ids of a configuration: keys and list positions joined by `::`, older spelling `#`. */
import type { Json } from '../bundle.js';

export const SEPARATOR = '::';

export function piecesOf(id: string): string[] {
  return id === '' ? [] : id.replaceAll('#', SEPARATOR).split(SEPARATOR);
}

export function joinId(parent: string, piece: string | number): string {
  return parent === '' ? String(piece) : `${parent}${SEPARATOR}${piece}`;
}

/** Resolves `#x` (same level as the item `from`), `##x` (its parent's level), `::x` …; absolute ids pass. */
export function absoluteId(id: string, from: string): string {
  const ups = /^(?:#|::)+/.exec(id)?.[0];
  if (ups === undefined) return piecesOf(id).join(SEPARATOR);
  const levels = ups.replaceAll(SEPARATOR, '#').length;
  const base = piecesOf(from);
  return [...base.slice(0, Math.max(0, base.length - levels)), ...piecesOf(id.slice(ups.length))].join(SEPARATOR);
}

/** The raw item with this id, or undefined. */
export function itemAt(tree: Json, pieces: readonly string[]): Json | undefined {
  let item: Json | undefined = tree;
  for (const piece of pieces) {
    if (item === null || typeof item !== 'object') return undefined;
    if (Array.isArray(item)) item = /^\d+$/.test(piece) ? (item as readonly Json[])[Number(piece)] : undefined;
    else item = Object.hasOwn(item, piece) ? (item as { readonly [key: string]: Json })[piece] : undefined;
    if (item === undefined) return undefined;
  }
  return item;
}
