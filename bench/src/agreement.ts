/** Did two contenders do the same work? Each function says what is wrong, or undefined. */

export function equal(ours: unknown, peer: unknown): string | undefined {
  const [a, b] = [JSON.stringify(ours), JSON.stringify(peer)];
  return a === b ? undefined : `ours ${a}, peer ${b}`;
}

/** Numbers, lists and objects of numbers, equal but for a relative error. */
export function agreeWithin(relative: number): (ours: unknown, peer: unknown) => string | undefined {
  return (ours, peer) => {
    const [a, b] = [numbersIn(ours), numbersIn(peer)];
    const same = a.length === b.length && a.every((x, n) => Math.abs(x - b[n]) <= relative * Math.max(1, Math.abs(x)));
    return same ? undefined : `ours ${JSON.stringify(ours)}, peer ${JSON.stringify(peer)}`;
  };
}

/** Voxels per label; differences may be this part of all voxels (sums of windows in another order). */
export function labelCountsWithin(part: number): (ours: unknown, peer: unknown) => string | undefined {
  return (ours, peer) => {
    const [a, b] = [numbersIn(ours), numbersIn(peer)];
    const voxels = a.reduce((sum, n) => sum + n, 0);
    const differing = a.reduce((sum, n, at) => sum + Math.abs(n - (b[at] ?? 0)), 0);
    return differing <= part * voxels ? undefined : `ours ${a.join(', ')} voxels, peer ${b.join(', ')}`;
  };
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : [];
}
