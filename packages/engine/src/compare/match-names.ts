/** Which structure of one segmentation is meant by which of another. */
import type { Segmentation, SegmentedStructure } from '@isocenter/volume';
import { StructuresError } from '../structures/structures-error.js';

export interface StructurePair {
  readonly a: SegmentedStructure;
  readonly b: SegmentedStructure;
}

export interface MatchedStructures {
  readonly pairs: readonly StructurePair[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

/**
 * Pairs by the given names first, then by equal name, then by name without case and punctuation (`Lung-Left` = `lung left`).
 * Two segmentations of one structure each are a pair whatever their names. Throws StructuresError `unknown-structure` for a
 * given name that does not exist, `no-common-structure` when nothing pairs.
 */
export function matchNames(
  a: Segmentation,
  b: Segmentation,
  given: readonly (readonly [string, string])[] = [],
): MatchedStructures {
  const pairs: StructurePair[] = [];
  const freeA = new Set(a.structures);
  const freeB = new Set(b.structures);
  const pair = (one: SegmentedStructure, other: SegmentedStructure) => {
    pairs.push({ a: one, b: other });
    freeA.delete(one);
    freeB.delete(other);
  };
  for (const [nameA, nameB] of given) pair(named(freeA, nameA, 'first'), named(freeB, nameB, 'second'));
  for (const key of [(name: string) => name, plainName])
    for (const one of [...freeA]) {
      const other = [...freeB].find(({ name }) => key(name) === key(one.name));
      if (other) pair(one, other);
    }
  if (pairs.length === 0 && freeA.size === 1 && freeB.size === 1) pair([...freeA][0], [...freeB][0]);
  if (pairs.length === 0)
    throw new StructuresError('no-common-structure', 'The two have no structure of the same name', {
      where: `${list(freeA)} against ${list(freeB)}`,
      next: 'Say which belong together with --names first=second.',
    });
  pairs.sort((p, q) => a.structures.indexOf(p.a) - a.structures.indexOf(q.a));
  return { pairs, onlyA: [...freeA].map(({ name }) => name), onlyB: [...freeB].map(({ name }) => name) };
}

function named(structures: ReadonlySet<SegmentedStructure>, wanted: string, which: string): SegmentedStructure {
  const found =
    [...structures].find(({ name }) => name === wanted) ??
    [...structures].find(({ name }) => plainName(name) === plainName(wanted));
  if (found) return found;
  throw new StructuresError('unknown-structure', `The ${which} input has no structure '${wanted}'`, {
    where: list(structures),
    next: 'Check --names.',
  });
}

function plainName(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

function list(structures: ReadonlySet<SegmentedStructure>): string {
  return [...structures].map(({ name }) => name).join(', ') || 'no structure';
}
