/** One page of a list as the API shows it. */

export function pageView<T, V>(
  items: readonly T[],
  next: string | undefined,
  view: (item: T) => V,
): { items: V[]; next?: string } {
  return { items: items.map(view), ...(next === undefined ? {} : { next }) };
}
